/** The messages of orders.proto in proto-loader's form: camel case, defaults filled in. */

export interface FindRequest {
  id: string;
}

export interface Order {
  id: string;
  servedBy: string;
}

export interface WatchRequest {
  id: string;
  count: number;
  everyMs: number;
}

export interface OrderUpdate {
  id: string;
  sequence: number;
  servedBy: string;
}

export interface OrderLine {
  sku: string;
  quantity: number;
}

export interface UploadReceipt {
  lines: number;
  quantity: number;
  servedBy: string;
}

export interface ChatMessage {
  text: string;
  servedBy?: string;
}
