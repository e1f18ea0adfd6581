import { execFile } from 'node:child_process';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const pollMs = 50;
const fastStopMs = 30_000;
const immediateStopMs = 10_000;

/**
 * Stops what a crashed run left behind in a cluster, so that it can be started: a server that outlived its
 * service, backends that outlived their server, a `postmaster.pid` whose number meanwhile belongs to another
 * program, a cluster that was never finished. The caller holds the lock of the data directory. Returns true
 * when there was something to stop.
 */
export async function stopLeftovers(clusterDir: string): Promise<boolean> {
  const pidFile = join(clusterDir, 'postmaster.pid');
  const postmaster = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  const found = await serverProcesses(clusterDir, postmaster);
  if (found.length > 0) {
    if (found.includes(postmaster)) signal([postmaster], 'SIGINT');
    else signal(found, 'SIGQUIT');
    if (!(await areGone(clusterDir, postmaster, fastStopMs))) {
      signal(await serverProcesses(clusterDir, postmaster), 'SIGQUIT');
      if (!(await areGone(clusterDir, postmaster, immediateStopMs))) {
        throw new Error(
          `PostgreSQL (process ${found.join(', ')}) still works in ${clusterDir}; stop it first.`,
        );
      }
    }
  }
  // Nobody works here any more; PostgreSQL would take a reused number in this file for a running server.
  await rm(pidFile, { force: true });
  await rm(`${clusterDir}.new`, { recursive: true, force: true });
  return found.length > 0;
}

/**
 * The processes of a PostgreSQL server in this cluster. Each of them, not only the first, has the cluster as
 * its working directory, so neither a stale `postmaster.pid` nor a reused number misleads.
 */
async function serverProcesses(clusterDir: string, postmaster: number): Promise<number[]> {
  if (process.platform !== 'linux') return (await isPostgres(postmaster)) ? [postmaster] : [];
  const cluster = await stat(clusterDir).catch(() => undefined);
  if (!cluster) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const checked = await Promise.all(
    pids.map(async (pid) => {
      try {
        if ((await readFile(`/proc/${pid}/comm`, 'utf8')).trim() !== 'postgres') return undefined;
        const workingDir = await stat(`/proc/${pid}/cwd`);
        return workingDir.ino === cluster.ino && workingDir.dev === cluster.dev ? pid : undefined;
      } catch {
        return undefined;
      }
    }),
  );
  return checked.filter((pid) => pid !== undefined);
}

async function isPostgres(pid: number): Promise<boolean> {
  if (!(pid > 0)) return false;
  return promisify(execFile)('ps', ['-p', String(pid), '-o', 'comm=']).then(
    ({ stdout }) => stdout.trim().endsWith('postgres'),
    () => false,
  );
}

async function areGone(clusterDir: string, postmaster: number, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs <= timeoutMs; waitedMs += pollMs) {
    if ((await serverProcesses(clusterDir, postmaster)).length === 0) return true;
    await pause(pollMs);
  }
  return false;
}

function signal(pids: number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself.
    }
  }
}
