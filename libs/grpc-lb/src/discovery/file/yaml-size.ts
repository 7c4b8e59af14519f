import { Lexer } from 'yaml';

const MAX_DEPTH = 32;
/** With it the lexer marks the next token as a scalar. */
const SCALAR = '\u001F';
/** The tokens that end a line. */
const LINE_BREAKS: ReadonlySet<string> = new Set(['\n', '\r\n']);

/**
 * Throws if YAML has more tokens than `maxTokens`, or nests deeper than 32 levels. The lexer is ten times as fast as the
 * parser, and can stop at any token; the parser takes seconds for malicious input, and overflows the stack.
 */
export function checkYamlSize(text: string, maxTokens: number): void {
  let tokens = 0;
  let brackets = 0;
  /** Indicators in one line of block style, as in `- - - a`. */
  let indicators = 0;
  /** The indentations of the lines that this one is in, the outermost first. */
  const indents: number[] = [];
  let lineBegins = true;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    if (++tokens > maxTokens) {
      throw new Error(
        `has more than ${maxTokens} tokens of YAML; write JSON into a file named *.json, or raise maxSize`,
      );
    }
    if (lineBegins) nest(indents, token);
    lineBegins = LINE_BREAKS.has(token);
    if (scalar) scalar = false;
    else if (token === SCALAR) scalar = true;
    else if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets--;
    else if (lineBegins) indicators = 0;
    else if (brackets <= 0 && (token === '-' || token === '?' || token === ':')) indicators++;
    if (brackets > MAX_DEPTH || indicators > MAX_DEPTH || indents.length > MAX_DEPTH)
      throw new Error(`has more than ${MAX_DEPTH} levels; write a list`);
  }
}

/** @param token The first one of a line: its indentation, if it has one. */
function nest(indents: number[], token: string): void {
  if (LINE_BREAKS.has(token)) return;
  const indent = /^ +$/.test(token) ? token.length : 0;
  while (indents.length > 0 && indents.at(-1)! >= indent) indents.pop();
  indents.push(indent);
}
