import { Lexer } from 'yaml';

const MAX_DEPTH = 32;
/** The lexer marks the next token as a scalar with it. */
const SCALAR = '\u001F';

/**
 * Throws if YAML has more tokens than `maxTokens`, or goes deeper than 32 levels in one line. The lexer is ten times as
 * fast as the parser, and can be left at any token; the parser takes seconds for what is made to be slow, and overflows
 * the stack.
 */
export function checkYamlSize(text: string, maxTokens: number): void {
  let tokens = 0;
  let brackets = 0;
  /** Indicators in one line of block style, as in `- - - a`. */
  let indicators = 0;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    if (++tokens > maxTokens) {
      throw new Error(
        `has more than ${maxTokens} tokens of YAML; write JSON into a file named *.json, or raise maxSize`,
      );
    }
    if (scalar) scalar = false;
    else if (token === SCALAR) scalar = true;
    else if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets--;
    else if (token === '\n') indicators = 0;
    else if (brackets <= 0 && (token === '-' || token === '?' || token === ':')) indicators++;
    if (brackets > MAX_DEPTH || indicators > MAX_DEPTH)
      throw new Error(`has more than ${MAX_DEPTH} levels; write a list`);
  }
}
