import { Command, InvalidArgumentError } from 'commander';
import { withClient } from '../db/connect.ts';
import {
  correctScale,
  readNotedScale,
  readTrialBalance,
  verifyLedger,
  type LedgerProgress,
  type LedgerReport,
  type VerifyOptions,
} from '../domains/credits/index.ts';
import { callsOn, withContext } from './database.ts';
import { CommandError, createOutput, type Output } from './output.ts';

type VerifyArguments = { json?: boolean; wallet?: string; since?: Date | number; afterWallet?: string };

type ScaleArguments = { json?: boolean; keepAmounts?: boolean };

const progressPauseMs = 1000;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `obol ledger`: the books of the wallets. */
export function ledgerCommand(): Command {
  const command = new Command('ledger');
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
  command
    .command('scale')
    .description(
      'How many decimal places the amounts of this database are noted to have: see CREDITS_SCALE. With a ' +
        'number, corrects the note; no process of the service may run meanwhile.',
    )
    .argument('[decimals]', 'how many it should be, 0 to 6', parseDecimals)
    .option('--keep-amounts', 'also when there are wallets: what they hold stays the number that it is')
    .option('--json', 'print the number as JSON')
    .action((decimals: number | undefined, { json, keepAmounts }: ScaleArguments) =>
      showScale(createOutput(json ?? false), decimals, keepAmounts ?? false),
    );
  return command;
}

/** Says what is noted, after it has been corrected if a number is given. */
async function showScale(
  output: Output,
  corrected: number | undefined,
  keepsAmounts: boolean,
): Promise<void> {
  const decimals = await withContext(
    async ({ db }, { ownerUrl }) => {
      if (corrected === undefined) return readNotedScale(db);
      const isDone = await withClient(ownerUrl, 'obol-cli', (owner) =>
        correctScale(callsOn(owner), corrected, keepsAmounts),
      );
      if (!isDone)
        throw new CommandError(
          'There are wallets, and what they hold would be worth another sum. If the note was wrong from the ' +
            'start, add --keep-amounts.',
        );
      return corrected;
    },
    { scaleDuty: 'ignore' },
  );
  output.say(
    decimals === null
      ? 'Nothing is noted yet: the first start of the service does it.'
      : `Amounts have ${decimals} decimal places: CREDITS_SCALE=${decimals}.`,
  );
  output.result({ decimals });
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

function parseDecimals(text: string): number {
  if (/^[0-6]$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a number from 0 to 6.');
}
