import { requestText, sendLoad } from '../lib/load.ts';
import { alternate } from '../lib/measure.ts';
import type { Scenario } from '../lib/scenario.ts';
import { seedApiKeys } from '../lib/seed-api-keys.ts';

const path = '/api/v1/api-keys/verify';

/**
 * The part of rows 7 and 11 that is about API keys: an application asks what keys with a budget are, against
 * Fastify answering the same from a constant, with the connections of either row.
 */
export const verifyApiKeys: Scenario = {
  row: '7, 11',
  title: 'POST /api-keys/verify',
  group: 'http',
  async run({ port, emptyPort, ownerUrl, people }, { seconds, rounds }) {
    const { keys, applicationKey } = await seedApiKeys(ownerUrl, people);
    const requests = keys.map((key) => requestText('POST', path, { token: applicationKey, body: { key } }));
    const measurements = [];
    for (const connections of [64, 32]) {
      const rateAt = async (targetPort: number) =>
        (await sendLoad({ port: targetPort, connections, seconds, requests })).requestsPerSecond;
      const ratio = await alternate(
        rounds,
        () => rateAt(port),
        () => rateAt(emptyPort),
      );
      const label = `POST /api-keys/verify, ${connections} connections`;
      const goal = { atLeast: 0.5 };
      measurements.push({ ...ratio, label, against: 'empty Fastify route', unit: '/s', goal });
    }
    return measurements;
  },
};
