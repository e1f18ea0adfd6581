import { Command } from 'commander';
import { withOwner } from './database.ts';
import { createOutput } from './output.ts';

/** `obol migrate`: brings the schema to this version. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description(
      'Brings the database schema to this version. Safe to run twice, and from several machines at once.',
    )
    .option('--json', 'print the result as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const output = createOutput(json ?? false);
      const applied: string[] = [];
      await withOwner({ onMigration: (name) => applied.push(name) }, async () => {});
      for (const name of applied) output.say(`applied ${name}`);
      output.say(
        applied.length === 0
          ? 'The schema is current; nothing to do.'
          : `Applied ${applied.length} migrations.`,
      );
      output.result({ applied });
    });
}
