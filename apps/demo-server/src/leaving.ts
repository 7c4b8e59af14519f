import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ReplaySubject } from 'rxjs';

/**
 * Says when this backend is about to go. A graceful shutdown waits for all streams, so those that would go on for ever
 * have to end first; and `INestMicroservice.close()` waits for the server before it calls any hook (only a signal that
 * `enableShutdownHooks` caught calls the hooks first), so whoever closes the application calls `begin` before.
 */
@Injectable()
export class Leaving implements OnModuleDestroy {
  readonly began$ = new ReplaySubject<void>(1);

  begin(): void {
    this.began$.next();
  }

  onModuleDestroy(): void {
    this.begin();
  }
}
