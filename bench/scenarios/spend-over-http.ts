import { alternate } from '../lib/measure.ts';
import { findBestClients, hotScript, pgbenchLatency, pgbenchRate, spreadScript } from '../lib/limits.ts';
import { requestText, sendLoad } from '../lib/load.ts';
import type { Environment } from '../lib/environment.ts';
import type { Scenario } from '../lib/scenario.ts';

/** Rows 3 and 4: spends over HTTP with verified tokens, against pgbench on the same cores. */
export const spendOverHttp: Scenario = {
  row: '3, 4',
  title: 'POST /credits/use over HTTP',
  group: 'ledger',
  async run(environment, { seconds, rounds }) {
    const best = await findBestClients(environment.ownerUrl, Math.min(seconds, 3));
    const spread = environment.tokens.map(spendRequest);
    const hot = environment.tokens.slice(0, 1).map(spendRequest);
    const variants = [
      {
        label: 'different wallets, 64 connections',
        connections: 64,
        requests: spread,
        script: spreadScript,
        clients: best,
        goal: 1,
      },
      {
        label: 'different wallets, 256 connections',
        connections: 256,
        requests: spread,
        script: spreadScript,
        clients: best,
        goal: 1.6,
      },
      {
        label: 'one hot wallet, 64 connections',
        connections: 64,
        requests: hot,
        script: hotScript,
        clients: 32,
        goal: 5,
      },
      {
        label: 'one hot wallet, 256 connections',
        connections: 256,
        requests: hot,
        script: hotScript,
        clients: 32,
        goal: 8,
      },
    ];
    const measurements = [];
    for (const { label, connections, requests, script, clients, goal } of variants) {
      const ratio = await alternate(
        rounds,
        async () =>
          (await sendLoad({ port: environment.port, connections, seconds, requests })).requestsPerSecond,
        () => pgbenchRate(environment.ownerUrl, script, clients, seconds),
      );
      measurements.push({
        ...ratio,
        label,
        against: `pgbench, ${clients} clients`,
        unit: '/s',
        goal: { atLeast: goal },
      });
    }
    return measurements;
  },
};

/** Row 5: what one spend takes when nothing else is going on. */
export const spendAlone: Scenario = {
  row: '5',
  title: 'one spend alone, p50',
  group: 'ledger',
  async run(environment, { seconds, rounds }) {
    const requests = environment.tokens.map(spendRequest);
    const ratio = await alternate(
      rounds,
      async () => (await sendLoad({ port: environment.port, connections: 1, seconds, requests })).p50Ms,
      () => pgbenchLatency(environment.ownerUrl, seconds),
    );
    return [
      { ...ratio, label: '1 connection', against: 'pgbench, 1 client', unit: ' ms', goal: { atMost: 2 } },
    ];
  },
};

/** A spend of one credit with an idempotency key that the load generator makes different each time. */
export function spendRequest(token: Environment['tokens'][number]): string {
  const body = { amount: 1, appId: 'bench', description: 'benchmark', idempotencyKey: 'k-@@@@@@@@@@@@' };
  return requestText('POST', '/api/v1/credits/use', { token, body });
}
