import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import GithubSlugger from 'github-slugger';
import { marked, type Token, type Tokens } from 'marked';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface CodeBlock {
  /** The info string of the fence: `ts`, `ts partial`. */
  readonly language: string;
  readonly text: string;
}

export interface Table {
  /** The text of the comment before it, `options: pool`; empty without one. */
  readonly mark: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One Markdown file as the tests look at it. */
export interface Page {
  /** From the root of the repository. */
  readonly path: string;
  readonly code: readonly CodeBlock[];
  readonly links: readonly string[];
  /** The anchors of its headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
  readonly tables: readonly Table[];
}

const MARK = /^<!-- (.*) -->\s*$/;

export function readPage(path: string): Page {
  const tokens = marked.lexer(readFileSync(join(ROOT, path), 'utf8'));
  const code: CodeBlock[] = [];
  const links: string[] = [];
  const tables: Table[] = [];
  const slugger = new GithubSlugger();
  const anchors = new Set<string>();
  const visit = (token: Token): void => {
    if (token.type === 'code')
      code.push({ language: (token as Tokens.Code).lang ?? '', text: (token as Tokens.Code).text });
    if (token.type === 'link' || token.type === 'image') links.push((token as Tokens.Link).href);
    if (token.type === 'heading') anchors.add(slugger.slug(plainText(token as Tokens.Heading)));
  };
  void marked.walkTokens(tokens, visit);
  let mark = '';
  for (const token of tokens) {
    if (token.type === 'table') {
      const { header, rows } = token as Tokens.Table;
      tables.push({
        mark,
        header: header.map(({ text }) => text),
        rows: rows.map((row) => row.map(({ text }) => text)),
      });
    }
    if (token.type !== 'space') mark = MARK.exec(token.raw.trim())?.[1] ?? '';
  }
  return { path, code, links, anchors, tables };
}

/** A heading without its markup: GitHub derives the anchor from the visible text. */
function plainText({ tokens = [] }: { tokens?: readonly Token[] }): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens ? plainText(token as { tokens: Token[] }) : (token as Tokens.Text).text,
    )
    .join('');
}

/** All pages for users. */
export function readPages(): Page[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    .toSorted();
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'libs/grpc-lb/README.md', ...docs].map(
    readPage,
  );
}

/** The table of a page whose first column has this title. */
export function tableOf(page: Page, title: string): Table {
  const table = page.tables.find(({ header }) => header[0] === title);
  if (!table) throw new Error(`${page.path} has no table with a column "${title}" in front`);
  return table;
}

/** The code spans in a cell: `a`, `b` are two. */
export function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
}
