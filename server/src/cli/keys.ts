import { Command } from 'commander';
import { rotateKeys } from '../domains/auth/index.ts';
import { withContext } from './database.ts';
import { createOutput } from './output.ts';

/** `obol keys`: the keys that sign tokens. */
export function keysCommand(): Command {
  const command = new Command('keys');
  command
    .command('rotate')
    .description(
      'Publishes a new signing key, lets it take over, and retires the old one when its last token has died.',
    )
    .option('--json', 'print the result as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const output = createOutput(json ?? false);
      const rotation = await withContext((ctx) => rotateKeys(ctx));
      output.say(`Key ${rotation.kid} is published.`);
      output.say(`It signs from ${rotation.signsFrom.toISOString()}, when every cache knows it.`);
      output.say(
        `The key before it is accepted until ${rotation.previousRetireAt.toISOString()}. No restart is needed.`,
      );
      output.result(rotation);
    });
  return command;
}
