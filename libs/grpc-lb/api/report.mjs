/**
 * `npm run api`: writes one report of the public API for each entry of the package, from the built declarations.
 * With `--check` it writes nothing, shows what differs from the reports that are committed, and fails if anything does.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const REPORTS = import.meta.dirname;
const LIBRARY = join(REPORTS, '..');

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const temporary = mkdtempSync(join(tmpdir(), 'grpc-lb-api-'));
try {
  process.exitCode = report(values.check) ? 0 : 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

/** Whether all reports are written, or are as they should be. */
function report(isCheck) {
  const { exports } = JSON.parse(readFileSync(join(LIBRARY, 'package.json'), 'utf8'));
  const configs = Object.entries(exports)
    .filter(([, target]) => target.types !== undefined)
    .map(([path, { types }]) => configOf(path === '.' ? 'index' : basename(path), join(LIBRARY, types)));
  const written = new Set(configs.flatMap((config) => config.reportConfigs.map(({ fileName }) => fileName)));
  const obsolete = readdirSync(REPORTS).filter((name) => name.endsWith('.api.md') && !written.has(name));
  // One program for all entries, because most of the time goes into reading the types of Nest and grpc-js.
  const compilerState = CompilerState.create(configs[0], {
    additionalEntryPoints: configs.map((config) => config.mainEntryPointFilePath),
  });
  const results = configs.map((config) =>
    Extractor.invoke(config, { compilerState, localBuild: !isCheck, printApiReportDiff: isCheck, messageCallback }),
  );
  if (!isCheck) {
    for (const name of obsolete) rmSync(join(REPORTS, name));
    return results.every((result) => result.succeeded);
  }
  for (const name of obsolete) process.stderr.write(`${name} describes an entry that package.json does not have\n`);
  const isCurrent = obsolete.length === 0 && results.every((result) => result.succeeded && !result.apiReportChanged);
  if (!isCurrent)
    process.stderr.write('The public API differs from its reports: run `npm run api`, and commit them.\n');
  return isCurrent;
}

function configOf(name, mainEntryPointFilePath) {
  return ExtractorConfig.prepare({
    packageJsonFullPath: join(LIBRARY, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: LIBRARY,
      mainEntryPointFilePath,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2022',
            lib: ['es2023'],
            module: 'nodenext',
            types: ['node'],
            strict: true,
            skipLibCheck: true,
          },
          files: [mainEntryPointFilePath],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: REPORTS,
        reportTempFolder: temporary,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        // Which types must be exported and documented is a test of its own, in test/types.
        extractorMessageReporting: { default: { logLevel: 'none' } },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  });
}

/** Leaves out what API Extractor says of itself. */
function messageCallback(message) {
  message.handled = true;
  const isDiff = message.messageId === 'console-api-report-diff';
  const isError = message.logLevel === 'error' || (message.category === 'Compiler' && message.logLevel === 'warning');
  if (isDiff || isError) process.stderr.write(`${message.text}\n`);
}
