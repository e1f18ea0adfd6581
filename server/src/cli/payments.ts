import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Ctx } from '../ctx.ts';
import {
  countOpen,
  readExport,
  reconcilePayments,
  type Finding,
  type ReconciliationReport,
} from '../domains/payments/index.ts';
import { withContext } from './database.ts';
import { CommandError, createOutput, type Output } from './output.ts';

type ReconcileArguments = {
  since: Date;
  provider?: 'stripe' | 'paypal';
  repair?: boolean;
  from?: string;
  json?: boolean;
};

const findingsShown = 50;

/** `obol payments`: money, and what payment providers say of it. */
export function paymentsCommand(): Command {
  const command = new Command('payments');
  command
    .command('reconcile')
    .description(
      'Compares what providers list with the ledger, in four lists: matched, only theirs, only ours, differing. Changes ' +
        'nothing without --repair. Exits with 0 when they agree, with 1 when something is left to look at or nothing could ' +
        'be compared.',
    )
    .requiredOption('--since <date>', 'from when on, such as 2026-03-01', parseDate)
    .addOption(
      new Option('--provider <name>', 'this provider alone; all that are set up by default').choices([
        'stripe',
        'paypal',
      ]),
    )
    .option('--repair', 'apply what is safe, as the webhooks would have')
    .option('--from <file>', "compare with an export (JSON lines of the provider's objects), asking nobody")
    .option('--json', 'print the reports as JSON')
    .action((options: ReconcileArguments) => reconcile(createOutput(options.json ?? false), options));
  return command;
}

async function reconcile(output: Output, options: ReconcileArguments): Promise<void> {
  if (options.from !== undefined && options.provider === undefined)
    throw new CommandError('Say with --provider whose export it is.');
  const reports = await withContext((ctx) => compareAll(ctx, options), { asksProviders: true });
  for (const report of reports) for (const line of linesOf(report)) output.say(line);
  output.result(reports.map((report) => ({ ...report, open: countOpen(report) })));
  if (reports.some((report) => countOpen(report) > 0)) process.exitCode = 1;
}

async function compareAll(
  ctx: Ctx,
  { since, provider: name, repair = false, from }: ReconcileArguments,
): Promise<ReconciliationReport[]> {
  const providers = ctx.payments.providers.filter((one) => name === undefined || one.name === name);
  if (providers.length === 0) throw new CommandError(nobodySetUp(ctx, name));
  const reports: ReconciliationReport[] = [];
  for (const provider of providers) {
    const listed = from === undefined ? {} : { listed: await openExport(ctx, provider, from) };
    reports.push(await reconcilePayments(ctx, { provider, since, repairs: repair, ...listed }));
  }
  return reports;
}

/** Who is missing, and in development where payments go instead. */
function nobodySetUp({ config }: Ctx, name?: string): string {
  const what = name === undefined ? 'No payment provider is set up.' : `The provider ${name} is not set up.`;
  if (config.isProduction) return what;
  return (
    `${what} Without keys, payments go to the stand-in of the service that \`npm start\` runs: ` +
    'start it, and run this with the same DATA_DIR.'
  );
}

async function openExport({ config }: Ctx, provider: Parameters<typeof readExport>[0], path: string) {
  const made = await stat(path).catch(() => {
    throw new CommandError(`${path} cannot be read.`);
  });
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });
  return readExport(provider, lines, { asOf: made.mtime, merchantId: config.paypalMerchantId });
}

function linesOf(report: ReconciliationReport): string[] {
  const { provider, isLive, since, matched, onlyTheirs, onlyOurs, differing, repaired, unrelated } = report;
  const open = countOpen(report);
  const left = report.findings.filter(({ isRepaired }) => !isRepaired);
  return [
    `${provider} (${isLive ? 'live' : 'test'}) since ${since.toISOString()}: ` +
      (open === 0 ? 'it agrees with the ledger.' : `${open} to look at.`),
    `  matched ${matched}, only theirs ${onlyTheirs}, only ours ${onlyOurs}, differing ${differing}; ` +
      `repaired ${repaired}; ${unrelated} not of this service`,
    ...left.slice(0, findingsShown).map(lineOf),
    ...(open > findingsShown ? [`  … and ${open - findingsShown} more`] : []),
  ];
}

const listNames = { onlyTheirs: 'only theirs', onlyOurs: 'only ours', differing: 'differing' };

function lineOf({ list, kind, id, purchaseId, reason, isSafe }: Finding): string {
  const hint = isSafe ? ' (--repair puts it right)' : '';
  return `  ${listNames[list]}: ${kind} ${id}, purchase ${purchaseId ?? '–'}: ${reason}${hint}`;
}

function parseDate(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()) || !/^\d{4}-\d\d-\d\d/.test(text))
    throw new InvalidArgumentError('It is a date such as 2026-03-01.');
  return date;
}
