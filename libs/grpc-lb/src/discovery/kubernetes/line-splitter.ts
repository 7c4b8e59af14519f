import { MalformedError } from './slice-api.js';

/** Turns chunks of text back into the lines that were sent: a watch is one JSON object per line. */
export class LineSplitter {
  readonly #parts: string[] = [];
  #length = 0;

  constructor(private readonly maxLength: number) {}

  /** The lines that this chunk completes. */
  push(piece: string): string[] {
    const lines = piece.split('\n');
    const rest = lines.pop()!;
    if (lines.length > 0) {
      lines[0] = [...this.#parts, lines[0]].join('');
      this.#parts.length = 0;
      this.#length = 0;
    }
    this.#parts.push(rest);
    this.#length += rest.length;
    if (this.#length > this.maxLength) throw new MalformedError(`an event of more than ${this.maxLength} characters`);
    return lines.filter((line) => line.trim() !== '');
  }
}
