import type { Frame } from '../panel/frame.js';
import { drawFrame } from './table.js';
import { coloured, count, ms, type Paint, plain } from './text.js';

/** The output of the demo. */
export interface View {
  readonly paint: Paint;
  frame(frame: Frame): void;
  /** Prints a line that stays. */
  line(text: string): void;
  /** The last frame stays; further lines go below it. */
  close(): void;
}

export function openView(out: NodeJS.WriteStream): View {
  return out.isTTY && process.env.TERM !== 'dumb' ? new Screen(out) : new Log(out);
}

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
/** Terminals that support it draw what is between the two at once; the others ignore it. */
const BEGIN_UPDATE = '\x1b[?2026h';
const END_UPDATE = '\x1b[?2026l';
const CLEAR_TO_END_OF_LINE = '\x1b[K';
const CLEAR_TO_END_OF_SCREEN = '\x1b[J';

/** Draws each frame over the last one, in one write, and clears nothing that it is about to fill: no flicker. */
class Screen implements View {
  readonly paint = process.env.NO_COLOR ? plain : coloured;
  #drawn: readonly string[] = [];

  constructor(private readonly out: NodeJS.WriteStream) {}

  frame(frame: Frame): void {
    this.#draw([], ['', ...drawFrame(frame, this.paint), '']);
  }

  line(text: string): void {
    if (this.#drawn.length > 0) this.#draw(text.split('\n'), this.#drawn);
    else this.out.write(`${text}\n`);
  }

  close(): void {
    if (this.#drawn.length > 0) this.out.write(SHOW_CURSOR);
    this.#drawn = [];
  }

  /** `above` scrolls away, `below` stays at the bottom. */
  #draw(above: readonly string[], below: readonly string[]): void {
    const up = this.#drawn.length > 0 ? `\x1b[${this.#drawn.length}A\r` : '';
    // A line that wraps would take two rows, and the next frame would start one row too low.
    const fits = below
      .slice(0, Math.max(1, (this.out.rows ?? 24) - 1))
      .map((line) => clip(line, this.out.columns ?? 80));
    const lines = [...above, ...fits].map((line) => line + CLEAR_TO_END_OF_LINE + '\n').join('');
    this.out.write(BEGIN_UPDATE + HIDE_CURSOR + up + lines + CLEAR_TO_END_OF_SCREEN + END_UPDATE);
    this.#drawn = fits;
  }
}

/** Cuts a line at the edge of the terminal; escape sequences take no space and are kept. */
function clip(line: string, width: number): string {
  let room = width;
  // oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
  return line.replace(/\x1b\[[0-9;]*m|[^]/gu, (part) => (part.startsWith('\x1b') || room-- > 0 ? part : ''));
}

const LOG_EVERY_SECONDS = 2;

/** Plain lines, for a file or a pipe: one every two seconds, and the table at the end of each phase. */
class Log implements View {
  readonly paint = plain;
  #last = '';

  constructor(private readonly out: NodeJS.WriteStream) {}

  frame(frame: Frame): void {
    const slot = frame.status === 'done' ? 'done' : Math.floor(frame.elapsedSeconds / LOG_EVERY_SECONDS);
    const key = `${frame.phaseNumber} ${slot}`;
    if (key === this.#last || slot === 0) return;
    this.#last = key;
    if (frame.status === 'done') return this.line(['', ...drawFrame(frame, plain), ''].join('\n'));
    const { calls, p50, p99 } = frame.lastSecond;
    const shares = frame.backends.map((row) => Math.round(row.share * 100)).join(' ');
    this.line(
      `${String(Math.floor(frame.elapsedSeconds)).padStart(4)} s  ${frame.phase.policy}: ${count(calls)} calls/s, ` +
        `errors ${count(frame.summary.errors)}, p50 ${ms(p50)} ms, p99 ${ms(p99)} ms, shares ${shares} %`,
    );
  }

  line(text: string): void {
    this.out.write(`${text}\n`);
  }

  close(): void {}
}
