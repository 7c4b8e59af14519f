/** What makes the calls. Nothing is looked at twice: a driver does the least that its users would do. */
export interface Subject {
  /** Makes one unary call. */
  say(text: string): Promise<void>;
  /** Makes one streaming call, and resolves with the number of messages. */
  repeat(text: string, times: number): Promise<number>;
  close(): Promise<void>;
}
