import { dirname, join } from 'node:path';

/** What to do about several copies of grpc-js. */
export const KEEP_ONE_COPY =
  'keep one copy: npm install @grpc/grpc-js@^1.14.0 at the top level, npm dedupe, and an override for a dependency that pins another';

const ENTRY = /@grpc[/\\]grpc-js[/\\]build[/\\]src[/\\]index\.js$/;

/**
 * The folders of the copies of grpc-js that this process has loaded. grpc-js is CommonJS, so Node's cache has each,
 * however it was imported. A bundle has none of its own.
 */
export function loadedCopies(cache: object = moduleCache()): string[] {
  return Object.keys(cache)
    .filter((path) => ENTRY.test(path))
    .map((path) => dirname(dirname(dirname(path))));
}

/** Not `require.cache`, which a bundler would replace, and ES modules do not have. */
function moduleCache(): object {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(join(process.cwd(), 'package.json')).cache;
}
