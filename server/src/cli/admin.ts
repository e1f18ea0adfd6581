import { Command } from 'commander';
import { resetFactorsByOperator } from '../domains/auth/index.ts';
import { promoteToAdmin } from '../domains/users/index.ts';
import { withContext } from './database.ts';
import { createOutput } from './output.ts';

/** `obol admin`: who administers the service. */
export function adminCommand(): Command {
  const command = new Command('admin');
  command
    .command('promote')
    .description('Makes a registered person an administrator.')
    .argument('<email>', 'the address the person registered with')
    .option('--json', 'print the result as JSON')
    .action(async (email: string, { json }: { json?: boolean }) => {
      const output = createOutput(json ?? false);
      const user = await withContext((ctx) => promoteToAdmin(ctx, { email }));
      output.say(`${user.email} is an administrator. Tokens name the new role from the next refresh on.`);
      output.result(user);
    });
  addResetFactors(command);
  return command;
}

function addResetFactors(command: Command): void {
  command
    .command('reset-factors')
    .description('Removes all second factors of a person who lost them; their sessions end.')
    .argument('<email>', 'the address of the person')
    .requiredOption('--reason <text>', 'how you know who is asking; kept in the audit trail')
    .option('--json', 'print the result as JSON')
    .action(async (email: string, { reason, json }: { reason: string; json?: boolean }) => {
      const output = createOutput(json ?? false);
      const user = await withContext((ctx) => resetFactorsByOperator(ctx, { email, reason }));
      output.say(`${user.email} signs in by the password alone, until they set up a second factor again.`);
      output.result(user);
    });
}
