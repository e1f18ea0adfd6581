import { Command } from 'commander';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Ctx } from '../ctx.ts';
import {
  collectDataForOperator,
  erasePersonForOperator,
  formatPersonalDataAsJson,
  formatPersonalDataAsZip,
} from '../domains/privacy/index.ts';
import { AppError } from '../errors.ts';
import { withContext } from './database.ts';
import { CommandError, createOutput } from './output.ts';

type ExportArguments = { out?: string; reason?: string; json?: boolean };
type EraseArguments = { yes?: boolean; endSubscriptions?: boolean; json?: boolean };

/** `obol users`: what people may ask for, by mail or when they are shut out. */
export function usersCommand(): Command {
  const command = new Command('users');
  command
    .command('export')
    .description(
      'Writes everything held about a person, as they would get it themselves. It stands in the audit trail.',
    )
    .argument('<email>', 'the address of the person')
    .option(
      '--out <file>',
      'a new file that nobody but you can read, a zip if it is named so; else it is printed',
    )
    .option('--reason <text>', 'how you know who is asking; kept in the audit trail')
    .option('--json', 'print what was written as JSON')
    .action(exportPerson);
  addErase(command);
  return command;
}

function addErase(command: Command): void {
  command
    .command('erase')
    .description(
      'Erases a person for good, as they would themselves: what the books have to keep stays without their name. ' +
        'Nobody can undo it. The address is told, and it stands in the audit trail.',
    )
    .argument('<email>', 'the address of the person')
    .option('--yes', 'it is meant')
    .option(
      '--end-subscriptions',
      'have providers end at once what the person is billed for, if nothing else is in the way',
    )
    .option('--json', 'print the result as JSON')
    .action(async (email: string, options: EraseArguments) => {
      const { yes = false, endSubscriptions = false, json = false } = options;
      if (!yes) throw new CommandError(`Nobody can undo this. Add --yes to erase ${email} for good.`);
      const person = await withContext((ctx) => erase(ctx, email, endSubscriptions), { asksProviders: true });
      const output = createOutput(json);
      output.say(`${person.email} is erased; what the books keep of them is under ${person.id}.`);
      output.result({ id: person.id });
    });
}

async function exportPerson(email: string, { out, reason, json = false }: ExportArguments): Promise<void> {
  const person = await withContext(async (ctx) => {
    const { id, sections } = await collectDataForOperator(ctx, { email, reason });
    const now = ctx.clock.now();
    const isZip = out?.toLowerCase().endsWith('.zip') ?? false;
    const content = isZip
      ? formatPersonalDataAsZip(sections, now)
      : Readable.from(formatPersonalDataAsJson(sections, now));
    await (out === undefined ? pipeline(content, process.stdout, { end: false }) : writeNew(content, out));
    return { id, sections: sections.length };
  });
  if (out === undefined) return;
  const output = createOutput(json);
  output.say(`${out}: everything held about ${email}, from ${person.sections} places`);
  output.result({ ...person, file: out });
}

async function writeNew(content: Readable, path: string): Promise<void> {
  try {
    await pipeline(content, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandError(`${path} is there already; move it away, or choose another name.`);
  }
}

/** What is in the way is named, and what can be done: the operator cannot see it anywhere else. */
async function erase(
  ctx: Ctx,
  email: string,
  endsSubscriptions: boolean,
): Promise<{ id: string; email: string }> {
  try {
    return await erasePersonForOperator(ctx, { email, endsSubscriptions });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'users.erasure_blocked') throw error;
    const ties = Object.entries(error.options.extensions ?? {}) as [
      string,
      { id: string; name?: string }[],
    ][];
    const named = ties.flatMap(([kind, ones]) =>
      ones.map(({ id, name }) => (name === undefined ? `${kind}: ${id}` : `${kind}: ${name} (${id})`)),
    );
    const isBilled = ties.some(([kind, ones]) => kind === 'subscriptions' && ones.length > 0);
    const hint = endsSubscriptions
      ? '. No subscription is ended before the rest is settled.'
      : '. With --end-subscriptions, providers end subscriptions at once.';
    throw new CommandError(
      `Something is left to be settled first. ${named.join('; ')}${isBilled ? hint : ''}`,
      { cause: error },
    );
  }
}
