import { BACKSLASH, CLOSE_LIST, CLOSE_OBJECT, COMMA, OPEN_LIST, OPEN_OBJECT, QUOTE } from './json-characters.js';

/** Characters before a list in which its key is searched. */
const TAIL = 200;

/**
 * Splits a list into its elements while its JSON arrives in pieces, so that each element is parsed by itself: each turn
 * of the event loop handles one element and one piece at most, however long the list is.
 */
export class JsonElements {
  /** The text outside the list, in pieces. */
  readonly #rest: string[] = [];
  #restLength = 0;
  /** The end of that text. */
  #tail = '';
  /** The current element, in pieces. */
  #element: string[] = [];
  #elementLength = 0;
  #count = 0;
  #depth = 0;
  #inList = false;
  #inString = false;
  #escaped = false;

  constructor(
    /** The key of the outermost object that holds the list; without a key, the whole document is the list. */
    private readonly key: string | undefined,
    /** Maximum length of one element, and of the text outside the list. */
    private readonly maxLength: number,
  ) {}

  /** Adds a piece; returns the texts of the elements that it completes. */
  push(piece: string): string[] {
    const done: string[] = [];
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      const code = piece.charCodeAt(at);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (code === BACKSLASH) this.#escaped = true;
        else if (code === QUOTE) this.#inString = false;
      } else if (code === QUOTE) {
        this.#inString = true;
      } else if (code === OPEN_LIST || code === OPEN_OBJECT) {
        this.#depth++;
        if (this.#inList || code === OPEN_OBJECT || !this.#beginsList(piece, from, at)) continue;
        this.#addToRest(piece.slice(from, at + 1));
        this.#inList = true;
        this.#count = 0;
        from = at + 1;
      } else if (code === COMMA && this.#inList && this.#depth === this.#listDepth) {
        done.push(this.#endElement(piece.slice(from, at)));
        from = at + 1;
      } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
        if (this.#inList && this.#depth === this.#listDepth) {
          const last = this.#endElement(piece.slice(from, at));
          // `[]` has no element; `[1,]` is not valid JSON, which the parser reports for the empty text.
          if (last.trim() !== '' || this.#count > 1) done.push(last);
          this.#inList = false;
          from = at;
        }
        this.#depth--;
      }
    }
    if (this.#inList) this.#addToElement(piece.slice(from));
    else this.#addToRest(piece.slice(from));
    return done;
  }

  /** The document with an empty list, once it is complete. */
  get rest(): string {
    return this.#rest.join('');
  }

  get #listDepth(): number {
    return this.key === undefined ? 1 : 2;
  }

  #beginsList(piece: string, from: number, at: number): boolean {
    if (this.#depth !== this.#listDepth) return false;
    if (this.key === undefined) return true;
    // A quote within a string is escaped by a backslash, so this matches a real key.
    const before = this.#tail + piece.slice(Math.max(from, at - TAIL), at);
    return new RegExp(`[{,]\\s*"${this.key}"\\s*:\\s*$`).test(before);
  }

  #endElement(text: string): string {
    this.#addToElement(text);
    const whole = this.#element.join('');
    this.#element = [];
    this.#elementLength = 0;
    this.#count++;
    return whole;
  }

  #addToElement(text: string): void {
    this.#element.push(text);
    this.#elementLength += text.length;
    this.#checkLength(this.#elementLength);
  }

  #addToRest(text: string): void {
    this.#rest.push(text);
    this.#restLength += text.length;
    this.#checkLength(this.#restLength);
    this.#tail = (this.#tail + text.slice(-TAIL)).slice(-TAIL);
  }

  #checkLength(length: number): void {
    if (length > this.maxLength) throw new Error(`more than ${this.maxLength} characters in one list item`);
  }
}
