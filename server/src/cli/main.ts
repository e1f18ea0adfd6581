import { Command } from 'commander';
import { ConfigError } from '../config.ts';
import { SchemaError } from '../db/migrate.ts';
import { AppError, errorTable } from '../errors.ts';
import { adminCommand } from './admin.ts';
import { auditCommand } from './audit.ts';
import { dbCommand } from './db.ts';
import { doctorCommand } from './doctor.ts';
import { exportCommand } from './export.ts';
import { importCommand } from './import.ts';
import { keysCommand } from './keys.ts';
import { ledgerCommand } from './ledger.ts';
import { migrateCommand } from './migrate.ts';
import { CommandError } from './output.ts';
import { paymentsCommand } from './payments.ts';
import { usersCommand } from './users.ts';

const program = new Command('obol')
  .description(
    'Runs and looks after an Obol service. Settings come from the environment and .env, as for the service.',
  )
  .showHelpAfterError('(see --help)')
  .showSuggestionAfterError();
const commands = [
  migrateCommand,
  keysCommand,
  adminCommand,
  usersCommand,
  ledgerCommand,
  paymentsCommand,
  auditCommand,
  doctorCommand,
  importCommand,
  exportCommand,
  dbCommand,
];
for (const command of commands) {
  program.addCommand(command());
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
