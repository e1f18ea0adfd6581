import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopLeftovers } from '../../../src/db/embedded/leftovers.ts';

/** The servers that a run of the tests works on. */
export type Backend = {
  /** Address of a superuser. */
  adminUrl: string;
  /** Port of the pooler that stands in front of PostgreSQL for the service's connections. */
  poolerPort: number | null;
  redisUrl: string | null;
  stop(): Promise<void>;
};

const prefix = 'obol-test-';

/**
 * A directory for one run, named after this process. What runs that were killed have left is cleared first.
 */
export async function openScratchDir(): Promise<{ dir: string; remove(): Promise<void> }> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await stopLeftovers(clusterDirOf(join(tmpdir(), name))).catch(() => {});
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
  const dir = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  // PostgreSQL 15 walks to its directories from the root; later versions do not need to.
  await chmod(dir, 0o711);
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

/** Where the cluster of a run lies. */
export function clusterDirOf(dir: string): string {
  return join(dir, 'postgres');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
