import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const debianDir = '/usr/lib/postgresql';

/** Where pgbench is, if the machine has it: on the PATH, or in the newest of Debian's PostgreSQL folders. */
function findPgbench(): string | undefined {
  const onPath = (process.env.PATH ?? '').split(':').map((dir) => join(dir, 'pgbench'));
  const versions = existsSync(debianDir) ? readdirSync(debianDir).toSorted().toReversed() : [];
  return [...onPath, ...versions.map((version) => join(debianDir, version, 'bin', 'pgbench'))].find((path) =>
    existsSync(path),
  );
}

export type PgbenchResult = { transactionsPerSecond: number; averageLatencyMs: number };

/**
 * Runs a script with prepared statements and no ramp-up. Rejects when pgbench is missing or a transaction
 * failed.
 */
export async function runPgbench(options: {
  url: string;
  script: string;
  clients: number;
  seconds: number;
}): Promise<PgbenchResult> {
  const pgbench = findPgbench();
  if (!pgbench)
    throw new Error('pgbench is missing: install it (Debian: postgresql-contrib) to measure the limit');
  const dir = await mkdtemp(join(tmpdir(), 'obol-pgbench-'));
  try {
    const file = join(dir, 'script.sql');
    await writeFile(file, options.script);
    const { clients, seconds } = options;
    const args = [
      '-n',
      '-M',
      'prepared',
      '-c',
      clients,
      '-j',
      Math.min(2, clients),
      '-T',
      seconds,
      '-f',
      file,
      options.url,
    ];
    const { stdout } = await promisify(execFile)(pgbench, args.map(String));
    const rate = /tps = ([\d.]+) \(without/.exec(stdout)?.[1];
    const latency = /latency average = ([\d.]+) ms/.exec(stdout)?.[1];
    if (!rate || !latency) throw new Error(`pgbench printed no rate:\n${stdout}`);
    return { transactionsPerSecond: Number(rate), averageLatencyMs: Number(latency) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
