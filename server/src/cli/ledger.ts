import { Command, InvalidArgumentError } from 'commander';
import { readTrialBalance, verifyLedger, type LedgerReport } from '../domains/credits/index.ts';
import { withContext } from './database.ts';
import { createOutput, type Output } from './output.ts';

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `obol ledger`: the books of the wallets. */
export function ledgerCommand(): Command {
  const command = new Command('ledger').description('The books of the wallets.');
  command
    .command('verify')
    .description(
      'Recomputes balances, lots and hash chains from the journal and names the first row that is off. ' +
        'Locks nothing; exits with 1 when something is off.',
    )
    .option('--wallet <id>', 'verify this wallet alone', parseWalletId)
    .option('--json', 'print the report as JSON')
    .action(({ wallet, json }: { wallet?: string; json?: boolean }) =>
      verify(createOutput(json ?? false), wallet),
    );
  command
    .command('balance')
    .description('The trial balance: what every account sums up to.')
    .option('--json', 'print the accounts as JSON')
    .action(({ json }: { json?: boolean }) => showTrialBalance(createOutput(json ?? false)));
  return command;
}

async function verify(output: Output, walletId?: string): Promise<void> {
  const report = await withContext(({ db }) => verifyLedger(db, walletId ? { walletId } : {}));
  output.say(summary(report));
  for (const { walletId: wallet, row, problem } of report.findings)
    output.say(`  wallet ${wallet}, ${row}: ${problem}`);
  output.result(report);
  if (!report.isSound) process.exitCode = 1;
}

function summary({ isSound, wallets, transactions, findings }: LedgerReport): string {
  const size = `${wallets.toLocaleString('en')} wallets, ${transactions.toLocaleString('en')} transactions`;
  return isSound
    ? `The ledger is sound: ${size}.`
    : `The ledger is NOT sound (${size}); the first of ${findings.length}:`;
}

async function showTrialBalance(output: Output): Promise<void> {
  const accounts = await withContext(({ db }) => readTrialBalance(db));
  const rows = [
    ...accounts,
    { account: 'sum', amount: accounts.reduce((sum, { amount }) => sum + amount, 0) },
  ];
  const width = Math.max(...rows.map(({ account }) => account.length));
  for (const { account, amount } of rows)
    output.say(`${account.padEnd(width)}  ${String(amount).padStart(16)}`);
  output.result(accounts);
}

function parseWalletId(text: string): string {
  if (!uuidPattern.test(text)) throw new InvalidArgumentError('It is the UUID of a wallet.');
  return text.toLowerCase();
}
