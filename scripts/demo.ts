import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runTour } from './tour.ts';

const ownReuseWindowSeconds = 1;
const startMaxSeconds = 60;

const help = `Walks through a running Obol by HTTP, or starts one for the tour and removes it afterwards.

  npm run demo                      the service at http://localhost:$PORT (3001) if one runs there, else its own
  npm run demo -- --url ADDRESS     the service at that address
  npm run demo -- --own             a service of its own in any case
`;

const { values } = parseArgs({
  options: { url: { type: 'string' }, own: { type: 'boolean' }, help: { type: 'boolean' } },
});

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const wanted = values.url ?? `http://localhost:${process.env.PORT ?? 3001}`;
  const isRunning = !values.own && (await isReady(wanted));
  if (values.url && !isRunning) throw new Error(`no service answers at ${wanted}/health/ready`);
  const started = isRunning ? undefined : await startService();
  const url = started?.url ?? wanted;
  const reuseWindowSeconds = started
    ? ownReuseWindowSeconds
    : Number(process.env.REFRESH_REUSE_WINDOW_SECONDS ?? 10);
  try {
    console.error(`The tour of ${started ? 'a service of its own' : url}\n`);
    await runTour({
      url,
      reuseWindowSeconds,
      print: (line) => console.log(line),
      pass: (seconds) => wait(seconds * 1000),
    });
  } finally {
    await started?.stop();
  }
}

/** Starts the service in a folder of its own on a free port; `stop` leaves nothing behind. */
async function startService(): Promise<{ url: string; stop: () => Promise<void> }> {
  console.error('No service is running; starting one for the tour …');
  const dataDir = await mkdtemp(join(tmpdir(), 'obol-demo-'));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const env = {
    ...process.env,
    PORT: String(port),
    BASE_URL: url,
    DATA_DIR: dataDir,
    DATABASE_URL: '',
    LOG_LEVEL: 'error',
    REFRESH_REUSE_WINDOW_SECONDS: String(ownReuseWindowSeconds),
  };
  const service = spawn(process.execPath, [join(import.meta.dirname, '../server/src/main.ts')], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const stop = async (): Promise<void> => {
    await end(service);
    await rm(dataDir, { recursive: true, force: true });
  };
  for (let waitedSeconds = 0; !(await isReady(url)); waitedSeconds += 0.1) {
    if (service.exitCode !== null || waitedSeconds > startMaxSeconds) {
      await stop();
      throw new Error('the service did not start');
    }
    await wait(100);
  }
  return { url, stop };
}

async function end(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return;
  service.kill('SIGTERM');
  await once(service, 'exit');
}

function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/health/ready`).then(
    (response) => response.ok,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
