import { Injectable } from '@nestjs/common';
import { BehaviorSubject } from 'rxjs';
import type { BackendProcess } from './backend-process.js';
import type { FromClient, ToClient } from './runner-messages.js';

/** The channel to the process that started this one, if any. */
@Injectable()
export class RunnerLink {
  readonly backends$ = new BehaviorSubject<readonly BackendProcess[]>([]);

  get connected(): boolean {
    return process.send !== undefined && process.connected;
  }

  /** `shutdown` is called once, when the runner requests it. */
  open(shutdown: () => void): void {
    if (process.send === undefined) return;
    process.on('disconnect', orphaned);
    if (!process.connected) orphaned();
    process.on('message', (message: ToClient) => {
      if (message.type === 'backends') this.backends$.next(message.backends);
      else shutdown();
    });
  }

  tell(message: FromClient): void {
    if (this.connected) process.send?.(message);
  }

  /** Allows this process to exit. */
  close(): void {
    process.off('disconnect', orphaned);
    if (this.connected) process.disconnect();
  }
}

/** The runner is gone, perhaps killed: this process exits too. */
function orphaned(): never {
  process.exit(0);
}
