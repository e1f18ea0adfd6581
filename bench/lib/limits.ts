import { runPgbench } from './pgbench.ts';

const walletsMax = 100_000;
const key = '\\set key random(1, 9223372036854775806)';

/** One spend per transaction, from any of 100,000 wallets. */
export const spreadScript = `\\set wallet random(1, ${walletsMax})\n${key}\nselect peer.spend(:wallet, 1, :key);\n`;
/** One spend per transaction, all from one wallet. */
export const hotScript = `${key}\nselect peer.spend(1, 1, :key);\n`;

const clientCounts = [4, 8, 16, 32];

/** pgbench's best rate over its client counts: tries each once, then the caller repeats with the winner. */
export async function findBestClients(url: string, seconds: number): Promise<number> {
  let best = { clients: clientCounts[0] ?? 1, rate: 0 };
  for (const clients of clientCounts) {
    const { transactionsPerSecond } = await runPgbench({ url, script: spreadScript, clients, seconds });
    if (transactionsPerSecond > best.rate) best = { clients, rate: transactionsPerSecond };
  }
  return best.clients;
}

/** Spends per second that pgbench reaches. */
export async function pgbenchRate(
  url: string,
  script: string,
  clients: number,
  seconds: number,
): Promise<number> {
  return (await runPgbench({ url, script, clients, seconds })).transactionsPerSecond;
}

/** Milliseconds that one spend takes pgbench with one client, on average. */
export async function pgbenchLatency(url: string, seconds: number): Promise<number> {
  return (await runPgbench({ url, script: spreadScript, clients: 1, seconds })).averageLatencyMs;
}
