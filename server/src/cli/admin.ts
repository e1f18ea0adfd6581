import { Command } from 'commander';
import { promoteToAdmin } from '../domains/users/index.ts';
import { withContext } from './database.ts';
import { createOutput } from './output.ts';

/** `obol admin`: who administers the service. */
export function adminCommand(): Command {
  const command = new Command('admin').description('Who administers the service.');
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
  return command;
}
