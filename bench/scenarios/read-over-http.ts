import { alternate } from '../lib/measure.ts';
import { requestText, sendLoad } from '../lib/load.ts';
import type { Scenario } from '../lib/scenario.ts';

const connections = 64;

/**
 * Row 7: the reads that every request of an app begins with, against Fastify answering the same from a
 * constant.
 */
export const readOverHttp: Scenario = {
  row: '7',
  title: 'GET /balance, POST /validate',
  group: 'http',
  async run({ port, emptyPort, tokens }, { seconds, rounds }) {
    const variants = [
      {
        label: 'GET /credits/balance',
        requests: tokens.map((token) => requestText('GET', '/api/v1/credits/balance', { token })),
      },
      {
        label: 'POST /auth/validate',
        requests: tokens.map((token) => requestText('POST', '/api/v1/auth/validate', { body: { token } })),
      },
    ];
    const measurements = [];
    for (const { label, requests } of variants) {
      const rateAt = async (targetPort: number) =>
        (await sendLoad({ port: targetPort, connections, seconds, requests })).requestsPerSecond;
      const ratio = await alternate(
        rounds,
        () => rateAt(port),
        () => rateAt(emptyPort),
      );
      measurements.push({
        ...ratio,
        label,
        against: 'empty Fastify route',
        unit: '/s',
        goal: { atLeast: 0.5 },
      });
    }
    return measurements;
  },
};
