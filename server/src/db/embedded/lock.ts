import { constants } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** The right to use a data directory; it ends with the process that holds it, however that ends. */
export type DataDirLock = {
  /** Tells a process that waits that this one is about to end. */
  announceStop(): void;
  release(): Promise<void>;
};

/** Another live process holds the data directory. */
export class DataDirInUseError extends Error {
  override name = 'DataDirInUseError';
}

type Holder = { pid?: number; state: 'running' | 'stopping' };

const pollMs = 100;
/** A process that was just told to stop, or whose launcher was just killed, needs a moment. */
const patienceMs = { running: 2000, stopping: 40_000 };

/**
 * Locks the data directory for this process. The lock is a listening socket in it: the system closes it with
 * its process, and unlike a process number it means the same in every container that shares the directory.
 * Throws DataDirInUseError naming the process that holds it.
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const directory = await open(dataDir, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const path = socketPath(dataDir, directory);
    for (let waitedMs = 0; ; waitedMs += pollMs) {
      const lock = await tryListen(path, directory);
      if (lock) return lock;
      const holder = await askHolder(path);
      if (!holder) await setStaleSocketAside(path);
      else if (waitedMs >= patienceMs[holder.state]) throw inUse(dataDir, holder);
      else await pause(pollMs);
    }
  } catch (error) {
    await directory.close();
    throw error;
  }
}

/** Whether a live process holds the data directory. */
export async function isDataDirLocked(dataDir: string): Promise<boolean> {
  const directory = await open(dataDir, constants.O_RDONLY | constants.O_DIRECTORY).catch(() => undefined);
  if (!directory) return false;
  try {
    return (await askHolder(socketPath(dataDir, directory))) !== undefined;
  } finally {
    await directory.close();
  }
}

function inUse(dataDir: string, { pid }: Holder): DataDirInUseError {
  const who = pid === undefined ? 'Another process' : `Another Obol (process ${pid})`;
  return new DataDirInUseError(
    `${who} is already running on ${dataDir}. Stop it first, or give this one a DATA_DIR of its own; ` +
      'several processes can share one database when DATABASE_URL points at a server.',
  );
}

/** Socket addresses hold about a hundred bytes; through the open directory, any path is short. */
function socketPath(dataDir: string, directory: FileHandle): string {
  return join(process.platform === 'linux' ? `/proc/self/fd/${directory.fd}` : dataDir, 'service.sock');
}

function tryListen(path: string, directory: FileHandle): Promise<DataDirLock | undefined> {
  const holder: Holder = { pid: process.pid, state: 'running' };
  const server = createServer((socket) => socket.on('error', () => {}).end(JSON.stringify(holder)));
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () =>
      resolve({
        announceStop: () => {
          holder.state = 'stopping';
        },
        async release() {
          await closeServer(server);
          await directory.close();
        },
      }),
    );
  });
}

/** Who listens on the socket; undefined when nobody does. */
function askHolder(path: string): Promise<Holder | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path);
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    let isNobody = false;
    socket.once('error', (error: NodeJS.ErrnoException) => {
      isNobody = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
    });
    socket.once('close', () => resolve(isNobody ? undefined : readHolder(answer)));
  });
}

function readHolder(answer: string): Holder {
  try {
    return JSON.parse(answer) as Holder;
  } catch {
    return { state: 'running' };
  }
}

/**
 * Moves a dead holder's socket out of the way. Between the question and the move another process may have put
 * a live one there, so the socket is asked once more under its new name and put back if it answers.
 */
async function setStaleSocketAside(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await rename(path, aside).catch(ignoreMissing);
  if (await askHolder(aside)) await rename(aside, path);
  else await rm(aside, { force: true });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
