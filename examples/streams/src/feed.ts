import type { Observable } from 'rxjs';

export interface WatchRequest {
  after?: number;
}

export interface Change {
  revision: number;
  servedBy: string;
}

export interface Feed {
  watch(request: WatchRequest): Observable<Change>;
}
