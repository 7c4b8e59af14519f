import { type PageFile, pageFile } from './page-files.js';

/** The page for both forms of its address: its files have addresses relative to it, so that a proxy may add a prefix. */
export class IndexPage {
  readonly #below: PageFile;
  readonly #beside: PageFile;

  /**
   * @param template `index.html` with `{{title}}`, `{{base}}` and `{{modules}}`.
   * @param path Where the page is, as the application knows it.
   * @param modules The scripts that the page will load.
   */
  constructor({ type, text }: PageFile, title: string, path: string, modules: readonly string[]) {
    const last = path.split('/').findLast((segment) => segment !== '') ?? '';
    const forBase = (base: string): PageFile => {
      // The browser would find each module only in the one that imports it.
      const preloads = modules.map((name) => `<link rel="modulepreload" href="${base}assets/${name}" />`);
      const values: Readonly<Record<string, string>> = {
        title: escaped(title),
        base,
        modules: preloads.join('\n    '),
      };
      // In one pass, and by a function: a value has no placeholders, and no `$&`.
      return pageFile(
        type,
        text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name]!),
      );
    };
    this.#below = forBase('./');
    this.#beside = last === '' ? this.#below : forBase(`./${last}/`);
  }

  /** @param url The URL of the request, `/grpc-lb` or `/grpc-lb/`. */
  at(url: string): PageFile {
    return url.split('?', 1)[0]!.endsWith('/') ? this.#below : this.#beside;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
