import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Controller, Get, Header, type MessageEvent, Sse } from '@nestjs/common';
import { concat, defer, map, merge, type Observable, of, takeUntil } from 'rxjs';
import { FramesService } from './frames.service.js';

const { resolve } = createRequire(import.meta.url);
const script = readFileSync(resolve('demo-client/panel.js'), 'utf8');
const style = readFileSync(resolve('demo-client/panel.css'), 'utf8');

/** The part that the demo adds to the console, and its data. */
@Controller('demo')
export class PanelController {
  constructor(private readonly frames: FramesService) {}

  @Get('panel.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  @Header('cache-control', 'no-cache')
  script(): string {
    return script;
  }

  @Get('panel.css')
  @Header('content-type', 'text/css; charset=utf-8')
  @Header('cache-control', 'no-cache')
  style(): string {
    return style;
  }

  /** First the past, then one event for each change; `bye` when the demo ends. */
  @Sse('events')
  events(): Observable<MessageEvent> {
    const past = defer(() => {
      const frame = this.frames.frame();
      const history = message('history', { points: this.frames.history });
      return frame ? of(history, message('frame', frame)) : of(history);
    });
    const live = merge(
      this.frames.frames$.pipe(map((frame) => message('frame', frame))),
      this.frames.points$.pipe(map((point) => message('point', point))),
    );
    return concat(past, live.pipe(takeUntil(this.frames.ended$)), of(message('bye', {})));
  }
}

function message(type: string, data: object): MessageEvent {
  return { type, data };
}
