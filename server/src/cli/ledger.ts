import { Command, InvalidArgumentError } from 'commander';
import {
  readTrialBalance,
  verifyLedger,
  type LedgerProgress,
  type LedgerReport,
  type VerifyOptions,
} from '../domains/credits/index.ts';
import { withContext } from './database.ts';
import { createOutput, type Output } from './output.ts';

type VerifyArguments = { json?: boolean; wallet?: string; since?: Date | number; afterWallet?: string };

const progressPauseMs = 1000;
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
    .option('--since <time|sequence>', 'only what happened since, and the balances as they are', parseSince)
    .option('--after-wallet <id>', 'go on behind this wallet, where a run was broken off', parseWalletId)
    .option('--json', 'print the report as JSON')
    .action(({ json, wallet, since, afterWallet }: VerifyArguments) =>
      verify(createOutput(json ?? false), { walletId: wallet, since, afterWalletId: afterWallet }),
    );
  command
    .command('balance')
    .description('The trial balance: what every account sums up to.')
    .option('--json', 'print the accounts as JSON')
    .action(({ json }: { json?: boolean }) => showTrialBalance(createOutput(json ?? false)));
  return command;
}

async function verify(output: Output, options: VerifyOptions): Promise<void> {
  const onProgress = createProgress(output);
  const report = await withContext(({ db }) => verifyLedger(db, { ...options, onProgress }));
  onProgress.end();
  output.say(summary(report));
  for (const { walletId: wallet, row, problem } of report.findings)
    output.say(`  wallet ${wallet}, ${row}: ${problem}`);
  output.result(report);
  if (!report.isSound) process.exitCode = 1;
}

/** Says on stderr how far a run is, at most once a second, and where it could go on. */
function createProgress(output: Output): { (progress: LedgerProgress): void; end(): void } {
  const startedAt = performance.now();
  let saidAt = startedAt;
  const say = ({ transactions, transactionsMax, wallets, lastWalletId }: LedgerProgress): void => {
    const now = performance.now();
    if (now - saidAt < progressPauseMs) return;
    saidAt = now;
    const perSecond = Math.round(transactions / ((now - startedAt) / 1000));
    output.progress(
      `${transactions.toLocaleString('en')} of ${transactionsMax.toLocaleString('en')} transactions, ` +
        `${wallets.toLocaleString('en')} wallets, ${perSecond.toLocaleString('en')}/s; ` +
        `to go on from here: --after-wallet ${lastWalletId}`,
    );
  };
  return Object.assign(say, { end: () => saidAt !== startedAt && output.endProgress() });
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
    { account: 'sum', amount: accounts.reduce((sum, { amount }) => sum + amount, 0n) },
  ];
  const width = Math.max(...rows.map(({ account }) => account.length));
  for (const { account, amount } of rows)
    output.say(`${account.padEnd(width)}  ${String(amount).padStart(16)}`);
  output.result(accounts.map(({ account, amount }) => ({ account, amount: jsonInteger(amount) })));
}

/** A number as long as every JSON reader keeps it exact, else its digits. */
function jsonInteger(amount: bigint): number | string {
  return Number.isSafeInteger(Number(amount)) ? Number(amount) : String(amount);
}

function parseWalletId(text: string): string {
  if (!uuidPattern.test(text)) throw new InvalidArgumentError('It is the UUID of a wallet.');
  return text.toLowerCase();
}

function parseSince(text: string): Date | number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('It is a time in ISO 8601, or a sequence.');
  return time;
}
