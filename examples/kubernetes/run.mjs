/** `npm start`: what the pods of k8s/ run, without a cluster: three servers, one client, and 60 requests. */
import { spawn } from 'node:child_process';

const ports = (process.env.PORTS ?? '50081,50082,50083').split(',');
const apiPort = process.env.API_PORT ?? '3080';
const children = [];

/** Starts an application, and waits until it says that it listens. */
function start(app, env) {
  const child = spawn(process.execPath, [`dist/${app}.js`], {
    cwd: import.meta.dirname,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${app} ended with ${code}`)));
    child.stdout.on('data', (text) => String(text).includes('listens') && resolve());
  });
}

try {
  await Promise.all(ports.map((PORT) => start('server', { PORT })));
  const target = `static:///${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  await start('client', { PORT: apiPort, ORDERS_TARGET: target });
  const counts = {};
  for (let round = 0; round < 6; round++) {
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const response = await fetch(`http://127.0.0.1:${apiPort}/orders/${i}`);
        if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
        return response.json();
      }),
    );
    for (const { servedBy } of answers) counts[servedBy] = (counts[servedBy] ?? 0) + 1;
  }
  console.log(JSON.stringify(counts));
} finally {
  for (const child of children) {
    child.removeAllListeners('exit');
    child.kill();
  }
}
