import { Command } from 'commander';
import { ConfigError } from '../config.ts';
import { SchemaError } from '../db/migrate.ts';
import { AppError, errorTable } from '../errors.ts';
import { CommandError } from './output.ts';

/** Each command: what it is for, and where it is. Only the one that is called is loaded. */
const commands: Record<string, { summary: string; load: () => Promise<Command> }> = {
  migrate: {
    summary: 'Brings the database schema to this version.',
    load: async () => (await import('./migrate.ts')).migrateCommand(),
  },
  keys: {
    summary: 'The keys that sign tokens.',
    load: async () => (await import('./keys.ts')).keysCommand(),
  },
  admin: {
    summary: 'Who administers the service.',
    load: async () => (await import('./admin.ts')).adminCommand(),
  },
  users: {
    summary: 'What people may ask for, for those who ask by other means than signed in.',
    load: async () => (await import('./users.ts')).usersCommand(),
  },
  ledger: {
    summary: 'The books of the wallets.',
    load: async () => (await import('./ledger.ts')).ledgerCommand(),
  },
  payments: {
    summary: 'Money, and what payment providers say of it.',
    load: async () => (await import('./payments.ts')).paymentsCommand(),
  },
  audit: {
    summary: 'The trail of what was done to others.',
    load: async () => (await import('./audit.ts')).auditCommand(),
  },
  doctor: {
    summary: 'Checks configuration, database, clock, mail and durability, and says what to do.',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  import: {
    summary: 'Takes in what other systems kept.',
    load: async () => (await import('./import.ts')).importCommand(),
  },
  export: {
    summary: 'Writes everybody and every transaction, for other systems.',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  db: {
    summary: "Drizzle's tools on this service's database, for development.",
    load: async () => (await import('./db.ts')).dbCommand(),
  },
};

const program = new Command('obol')
  .description(
    'Runs and looks after an Obol service. Settings come from the environment and .env, as for the service.',
  )
  .showHelpAfterError('(see --help)')
  .showSuggestionAfterError();
const called = process.argv.slice(2).find((argument) => Object.hasOwn(commands, argument));
for (const [name, { summary, load }] of Object.entries(commands)) {
  const command = name === called ? await load() : new Command(name);
  program.addCommand(command.description(command.description() || summary).summary(summary));
}

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = 1;
  if (process.argv.includes('--json')) console.log(JSON.stringify({ error: describe(error) }));
  else console.error(`obol: ${describe(error)}`);
}

/** What an operator needs to know; a stack only for what nobody foresaw. */
function describe(error: unknown): string {
  if (error instanceof CommandError || error instanceof ConfigError || error instanceof SchemaError)
    return error.message;
  if (error instanceof AppError)
    return `${errorTable[error.code].title}. ${error.options.detail ?? errorTable[error.code].detail}`;
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
