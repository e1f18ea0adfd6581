import { readdir, readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';

const tasksDir = '/proc/self/task';
/** What libuv calls the threads on which passwords are hashed and tokens signed. */
const poolThreadName = 'libuv-worker';

/**
 * Lets the threads that hash passwords give way to the one that answers requests and to the database: a
 * storm of sign-ins takes the time that is left and no more. Linux only; elsewhere, and where it is not
 * allowed, nothing changes. Returns how many threads there are.
 */
export async function lowerPoolThreads(): Promise<number> {
  const threadIds = await readdir(tasksDir).catch(() => []);
  const names = await Promise.all(
    threadIds.map((id) => readFile(`${tasksDir}/${id}/comm`, 'utf8').catch(() => '')),
  );
  const pool = threadIds.filter((_id, index) => names[index]?.trim() === poolThreadName);
  for (const id of pool) {
    try {
      setPriority(Number(id), constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      return 0;
    }
  }
  return pool.length;
}
