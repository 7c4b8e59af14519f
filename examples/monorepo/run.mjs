/** `npm start`: three instances of orders, one of api, and 60 requests; then it prints who has answered, and ends. */
import { spawn } from 'node:child_process';

const ports = (process.env.PORTS ?? '50071,50072,50073').split(',');
const apiPort = process.env.API_PORT ?? '3070';
const children = [];

/** Starts an application, and waits until it says that it listens. */
function start(app, env) {
  const child = spawn(process.execPath, [`dist/apps/${app}/main.js`], {
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
  await Promise.all(ports.map((PORT) => start('orders', { PORT })));
  const target = `static:///${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  await start('api', { PORT: apiPort, ORDERS_TARGET: target });
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
