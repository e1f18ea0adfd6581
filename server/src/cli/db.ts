import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { withOwner } from './database.ts';
import { listMigrations, numberMigration } from './number-migration.ts';
import { CommandError, createOutput } from './output.ts';

const repositoryDir = join(import.meta.dirname, '../../..');
const migrationsDir = join(import.meta.dirname, '../db/migrations');

/** `obol db`: Drizzle's tools, with the connection filled in. */
export function dbCommand(): Command {
  const command = new Command('db');
  command
    .command('studio')
    .description('Opens Drizzle Studio, a browser for the tables.')
    .action(() => withOwner({}, ({ ownerUrl }) => drizzleKit(['studio'], { DATABASE_URL: ownerUrl })));
  command
    .command('generate')
    .description('Writes a migration for what changed in the tables.ts files.')
    .requiredOption('--name <words>', 'what changes, in snake_case')
    .option('--custom', 'an empty migration, for policies, grants and functions')
    .action(async ({ name, custom }: { name: string; custom?: boolean }) => {
      const before = await listMigrations(migrationsDir);
      await drizzleKit(['generate', '--name', name, ...(custom ? ['--custom'] : [])], {});
      const written = await numberMigration(migrationsDir, before);
      if (written) createOutput(false).say(`The migration is ${written}.`);
    });
  return command;
}

/**
 * Runs drizzle-kit in the foreground; rejects when it fails. Ctrl+C ends it and not this process, which has a
 * database to stop.
 */
async function drizzleKit(args: string[], env: Record<string, string>): Promise<void> {
  const library = createRequire(import.meta.url).resolve('drizzle-kit');
  const child = spawn(process.execPath, [join(dirname(library), 'bin.cjs'), ...args], {
    cwd: repositoryDir,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  let isStopped = false;
  const stop = (signal: NodeJS.Signals): void => {
    isStopped = true;
    child.kill(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  }).finally(() => process.off('SIGINT', stop).off('SIGTERM', stop));
  if (code !== 0 && !isStopped) throw new CommandError(`drizzle-kit ${args[0]} failed`);
}
