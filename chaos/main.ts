/** `npm run chaos -- [options]`: the scenarios. `npm run chaos soak -- [options]`: random faults for minutes or hours.
 * `npm run chaos calls -- [options]`: calls of all kinds, given up at random moments. `npm run chaos streams -- [options]`:
 * streams that move and resume. `npm run chaos stream-ends -- [options]`: streams that a server ends.
 * `npm run chaos tls -- [options]`: certificates that rotate.
 * `npm run chaos shedding -- [options]`: servers that shed load.
 * `npm run chaos hops -- [options]`: deadlines that travel through four services. */
// The exit ends the processes too, those that are stopped as well.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const part = process.argv[2]?.startsWith('-') === false ? process.argv.splice(2, 1)[0] : 'scenarios';
switch (part) {
  case 'scenarios':
    await import('./run.js');
    break;
  case 'soak':
    await import('./soak.js');
    break;
  case 'shedding':
    await import('./shedding/run.js');
    break;
  case 'hops':
    await import('./hops/run.js');
    break;
  case 'calls':
    await import('./calls.js');
    break;
  case 'stream-ends':
    await import('./stream-ends.js');
    break;
  case 'streams':
    await import('./streams.js');
    break;
  case 'tls':
    await import('./tls.js');
    break;
  default:
    console.error(
      `There is no part "${part}" of chaos: npm run chaos [scenarios | soak | calls | streams | stream-ends | tls | shedding | hops] -- [options]`,
    );
    process.exitCode = 2;
}
