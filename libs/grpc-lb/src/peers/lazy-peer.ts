import { dirname, join } from 'node:path';
import { missingPeer } from '../core/errors.js';

/** A package that only some clients or servers need. It is loaded before the first of them is made. */
export class LazyPeer<T> {
  #module: T | undefined;

  /**
   * @param name The name of the package.
   * @param load Loads it. In the application, so that its module formats, bundler and test runner see the import.
   */
  constructor(
    readonly name: string,
    private readonly load: () => Promise<T>,
  ) {}

  get isLoaded(): boolean {
    return this.#module !== undefined;
  }

  /** Loads the package before `get` is called. That it is missing is what `get` reports. */
  async prepare(): Promise<void> {
    try {
      this.#module ??= await this.load();
    } catch {
      // `get` looks in the application, too.
    }
  }

  /**
   * The package; for callers that cannot wait, such as `mockClient`, it is required where the application finds it.
   *
   * @throws GrpcLbPeerError if it is not installed.
   */
  get(feature: string): T {
    try {
      return (this.#module ??= requireInApplication(this.name) as T);
    } catch (cause) {
      throw missingPeer(feature, this.name, cause);
    }
  }
}

/**
 * A package of the application: looked up from the main script, then from the working directory. (`import.meta.url` does
 * not compile to CommonJS, and in a bundle it is the path of the bundle.)
 */
export function requireInApplication(name: string): unknown {
  const folder = process.cwd();
  // Not imported, because webpack would try to resolve the argument of createRequire() at build time, and warn.
  const load = process.getBuiltinModule('node:module').createRequire(join(folder, 'package.json'));
  const paths = process.argv[1] === undefined ? [folder] : [dirname(process.argv[1]), folder];
  return load(load.resolve(name, { paths }));
}
