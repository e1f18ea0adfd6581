import { Command } from 'commander';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportedTables, exportService } from '../domains/privacy/index.ts';
import { withContext } from './database.ts';
import { CommandError, createOutput } from './output.ts';

/** `obol export`: everything that one takes along when leaving. */
export function exportCommand(): Command {
  return new Command('export')
    .description(
      'Writes everybody, with password hashes, accounts and credits, as `obol import users` reads them, and every ' +
        'transaction of the wallets: files of JSON lines that nobody but you can read.',
    )
    .argument('<directory>', 'where to put users.jsonl and transactions.jsonl; neither may be there yet')
    .option('--json', 'print the result as JSON')
    .action(async (directory: string, { json }: { json?: boolean }) => {
      const output = createOutput(json ?? false);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const rows = await withContext(async (ctx) => {
        const counts: Record<string, number> = {};
        for (const table of exportedTables) {
          counts[table] = await writeFile(exportService(ctx, table), join(directory, `${table}.jsonl`));
        }
        return counts;
      });
      for (const [table, count] of Object.entries(rows)) {
        output.say(`${join(directory, `${table}.jsonl`)}: ${count.toLocaleString('en')} lines`);
      }
      output.result({ rows });
    });
}

/** Writes lines into a new file. Returns how many. */
async function writeFile(lines: AsyncIterable<string>, path: string): Promise<number> {
  let count = 0;
  const counted = async function* (): AsyncGenerator<string> {
    for await (const line of lines) {
      count += 1;
      yield line;
    }
  };
  try {
    await pipeline(Readable.from(counted()), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandError(`${path} is there already; move it away, or choose another directory.`);
  }
  return count;
}
