import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import serviceFlags from './service-flags.json' with { type: 'json' };
import { freePort } from '../server/src/db/embedded/server.ts';

const program = join(import.meta.dirname, '../server/src/main.ts');
const readyMs = 60_000;
const pollMs = 50;

/** The service as a process of its own. `stop` may be called at any time, also more than once. */
export type ServiceProcess = {
  url: string;
  port: number;
  pid: number;
  untilReady(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Launches the service on a free port with the given settings besides this process's environment. It stops by
 * itself when this process dies, however that happens. What it logs at LOG_LEVEL goes to standard error.
 */
export async function launchService(settings: Record<string, string>): Promise<ServiceProcess> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const child = spawn(process.execPath, [...serviceFlags, program], {
    env: { ...process.env, LOG_LEVEL: 'error', ...settings, PORT: String(port), BASE_URL: url },
    // The channel is how the service learns that nobody is left to stop it.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    // Its log is worth seeing, its greeting is not.
    if (/error|fatal/i.test(chunk.toString())) process.stderr.write(chunk);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the service could not be launched');
  return { url, port, pid, untilReady: () => untilReady(child, url), stop: () => end(child) };
}

/** Whether a service answers at the address and is ready. */
export function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/health/ready`).then(
    (response) => response.ok,
    () => false,
  );
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  for (let waitedMs = 0; !(await isReady(url)); waitedMs += pollMs) {
    if (hasEnded(child) || waitedMs > readyMs) throw new Error('the service did not start');
    await pause(pollMs);
  }
}

/** Ends a process in good order and waits for that. */
export async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
