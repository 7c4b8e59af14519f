import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Controller, Get, Header, type MessageEvent, Sse } from '@nestjs/common';
import { concat, defer, map, merge, type Observable, of, takeUntil } from 'rxjs';
import { EventLog } from './event-log.js';
import { LiveService } from './live.service.js';

const page = readFileSync(createRequire(import.meta.url).resolve('demo-client/page'), 'utf8');

/** The page and its data. */
@Controller()
export class LiveController {
  constructor(
    private readonly live: LiveService,
    private readonly log: EventLog,
  ) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-cache')
  @Header(
    'content-security-policy',
    "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; " +
      "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  )
  page(): string {
    return page;
  }

  /** First the past, then one event for each change; `bye` when the demo ends. */
  @Sse('events')
  events(): Observable<MessageEvent> {
    const past = defer(() => of(message('history', { points: this.live.history, events: this.log.recent })));
    const live = merge(
      this.live.frames$.pipe(map((frame) => message('frame', frame))),
      this.live.points$.pipe(map((point) => message('point', point))),
      this.log.lines$.pipe(map((line) => message('event', line))),
    );
    return concat(past, live.pipe(takeUntil(this.live.ended$)), of(message('bye', {})));
  }
}

function message(type: string, data: object): MessageEvent {
  return { type, data };
}
