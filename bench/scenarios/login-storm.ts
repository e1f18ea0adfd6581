import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import { alternate } from '../lib/measure.ts';
import { requestText, sendLoad } from '../lib/load.ts';
import { peakMegabytes } from '../lib/memory.ts';
import type { Environment } from '../lib/environment.ts';
import type { Scenario } from '../lib/scenario.ts';

const balanceConnections = 8;
const loginConnections = [8, 64];
/** So many sign in while others read. */
const besideConnections = 64;
const stormConnections = 200;

/** Row 8: sign-ins are bound by argon2id alone, and everybody else keeps being served meanwhile. */
export const loginStorm: Scenario = {
  row: '8',
  title: 'POST /login',
  group: 'http',
  async run(environment, { seconds, rounds }) {
    const logins = loginRequests(environment);
    const rates = [];
    for (const connections of loginConnections) {
      const rate = await alternate(
        rounds,
        async () =>
          (await sendLoad({ port: environment.port, connections, seconds, requests: logins }))
            .requestsPerSecond,
        () => bareVerificationRate(seconds),
      );
      const label = `${connections} connections`;
      rates.push({ ...rate, label, against: 'bare argon2id', unit: '/s', goal: { atLeast: 0.9 } });
    }
    const latency = await alternate(
      rounds,
      async () => {
        const [balance] = await Promise.all([
          balanceLatency(environment, seconds),
          sendLoad({ port: environment.port, connections: besideConnections, seconds, requests: logins }),
        ]);
        return balance;
      },
      () => balanceLatency(environment, seconds),
    );
    const memory = await alternate(
      1,
      () => memoryDuring(environment, stormConnections, seconds),
      () => memoryDuring(environment, 1, seconds),
    );
    return [
      ...rates,
      {
        ...latency,
        label: 'p99 of GET /balance meanwhile',
        against: 'its quiet p99',
        unit: ' ms',
        goal: { atMost: 3 },
      },
      {
        ...memory,
        label: `memory with ${stormConnections} connections`,
        against: 'with one',
        unit: ' MB',
        goal: { atMost: 2 },
      },
    ];
  },
};

function loginRequests({ emails, password }: Environment): string[] {
  return emails.map((email) => requestText('POST', '/api/v1/auth/login', { body: { email, password } }));
}

async function balanceLatency({ port, tokens }: Environment, seconds: number): Promise<number> {
  const requests = tokens.map((token) => requestText('GET', '/api/v1/credits/balance', { token }));
  return (await sendLoad({ port, connections: balanceConnections, seconds, requests })).p99Ms;
}

/** The most that the service occupies while so many connections sign in. */
function memoryDuring(environment: Environment, connections: number, seconds: number): Promise<number> {
  const requests = loginRequests(environment);
  return peakMegabytes(environment.pid, () =>
    sendLoad({ port: environment.port, connections, seconds, requests }),
  );
}

/** Verifications per second with nothing else to do, one at a time per core. */
async function bareVerificationRate(seconds: number): Promise<number> {
  const password = 'correct horse battery staple';
  const hashed = await hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  const endsAt = performance.now() + seconds * 1000;
  let verified = 0;
  const lanes = Array.from({ length: availableParallelism() }, async () => {
    for (; performance.now() < endsAt; verified++) await verify(hashed, password);
  });
  const startedAt = performance.now();
  await Promise.all(lanes);
  return verified / ((performance.now() - startedAt) / 1000);
}
