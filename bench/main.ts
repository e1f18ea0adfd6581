import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEnvironment } from './lib/environment.ts';
import { printMeasurement, printSummary } from './lib/report.ts';
import type { Measurement } from './lib/scenario.ts';
import { scenarios } from './scenarios/index.ts';

const help = `Measures Obol against named limits and peers, both in the same run.

  npm run bench                    every scenario
  npm run bench -- ledger          one group or row (${[...new Set(scenarios.map(({ group }) => group))].join(', ')}, 3, 5 …)

  --seconds N   how long one measurement lasts (default 5)
  --rounds N    measurements per side, alternating; the median counts (default 5)
  --wallets N   wallets in the ledger (default 100000)
  --journal N   transactions in the long journal of row 6 (default 10000000, which takes minutes to fill)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    wallets: { type: 'string', default: '100000' },
    journal: { type: 'string', default: '10000000' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const chosen = scenarios.filter(
    ({ group, row }) =>
      positionals.length === 0 ||
      positionals.some((name) => name === group || row.split(', ').includes(name)),
  );
  if (chosen.length === 0) throw new Error(`no scenario is called ${positionals.join(' or ')}\n\n${help}`);
  const environment = await startEnvironment({
    wallets: Number(values.wallets),
    onProgress: (line) => console.error(line),
  });
  const measured: (Measurement & { row: string; title: string })[] = [];
  try {
    for (const { row, title, run } of chosen) {
      console.error(`row ${row}: ${title} …`);
      for (const measurement of await run(environment, {
        seconds: Number(values.seconds),
        rounds: Number(values.rounds),
        wallets: Number(values.wallets),
        journal: Number(values.journal),
      })) {
        measured.push({ row, title, ...measurement });
        printMeasurement({ row, title, ...measurement });
      }
    }
  } finally {
    await environment.stop();
  }
  printSummary(measured);
  const dir = join(import.meta.dirname, 'results');
  await mkdir(dir, { recursive: true });
  const machine = { cores: availableParallelism(), model: cpus()[0]?.model, node: process.version };
  const report = { measuredAt: new Date().toISOString(), machine, options: values, measured };
  await writeFile(join(dir, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`);
}
