/** `npm start`: three servers, and a client that sends 60 requests and prints who has answered. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const ports = (process.env.PORTS ?? '50091,50092,50093').split(',');
const children = [];

function spawnNode(script, env, stdout) {
  const child = spawn(process.execPath, [`dist/${script}.js`], {
    cwd: import.meta.dirname,
    env: { ...process.env, ...env },
    stdio: ['ignore', stdout, 'inherit'],
  });
  children.push(child);
  return child;
}

/** Starts a server, and waits until it says that it listens. */
function startServer(PORT) {
  const child = spawnNode('server', { PORT }, 'pipe');
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout.on('data', (text) => String(text).includes('listens') && resolve());
  });
}

try {
  await Promise.all(ports.map(startServer));
  const target = `static:///${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  const [code] = await once(spawnNode('client', { ORDERS_TARGET: target }, 'inherit'), 'exit');
  process.exitCode = code ?? 1;
} finally {
  for (const child of children) {
    child.removeAllListeners('exit');
    child.kill();
  }
}
