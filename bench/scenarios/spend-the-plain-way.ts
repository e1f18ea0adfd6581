import { alternate } from '../lib/measure.ts';
import { requestText, sendLoad } from '../lib/load.ts';
import type { Scenario } from '../lib/scenario.ts';
import { spendRequest } from './spend-over-http.ts';

const connections = 256;
const plainWallets = 1000;

/** Row 4b: the same spends the usual way, a transaction of separate statements each, on the same Fastify. */
export const spendThePlainWay: Scenario = {
  row: '4b',
  title: 'POST /credits/use over HTTP',
  group: 'ledger',
  async run({ port, plainPort, tokens }, { seconds, rounds }) {
    const variants = [
      { label: 'different wallets', wallets: plainWallets, goal: 12 },
      { label: 'one hot wallet', wallets: 1, goal: 25 },
    ];
    const measurements = [];
    for (const { label, wallets, goal } of variants) {
      const ours = tokens.slice(0, wallets).map(spendRequest);
      const theirs = Array.from({ length: wallets }, (_, index) => plainRequest(`w-${index + 1}`));
      const ratio = await alternate(
        rounds,
        async () => (await sendLoad({ port, connections, seconds, requests: ours })).requestsPerSecond,
        async () =>
          (await sendLoad({ port: plainPort, connections, seconds, requests: theirs })).requestsPerSecond,
      );
      measurements.push({
        ...ratio,
        label: `${label}, ${connections} connections`,
        against: 'separate statements',
        unit: '/s',
        goal: { atLeast: goal },
      });
    }
    return measurements;
  },
};

function plainRequest(walletId: string): string {
  const body = {
    walletId,
    amount: 1,
    appId: 'bench',
    description: 'benchmark',
    idempotencyKey: 'k-@@@@@@@@@@@@',
  };
  return requestText('POST', '/use', { body });
}
