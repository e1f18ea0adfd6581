import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { registerPerson } from '../../../../test/harness/people.ts';

const service = await startTestService();
const tries = 200;
const roundsMax = 5;

const ask = (path: string, email: string) =>
  service.send('POST', `/api/v1/auth/${path}`, { body: { email } });

async function timeOf(path: string, email: string): Promise<number> {
  const startedAt = performance.now();
  await ask(path, email);
  return performance.now() - startedAt;
}

/** The mean of the faster half: whatever else the machine does only ever adds to a time. */
function meanOfFasterHalf(times: number[]): number {
  const faster = times.toSorted((one, other) => one - other).slice(0, times.length / 2);
  return faster.reduce((sum, time) => sum + time, 0) / faster.length;
}

/** How far the mean times for both addresses lie apart, as a part of the greater one; asked in turns. */
async function differenceOf(path: string, known: string, unknown: string): Promise<number> {
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let count = 0; count < tries; count++) {
    const isKnownFirst = count % 2 === 0;
    if (isKnownFirst) times.known.push(await timeOf(path, known));
    times.unknown.push(await timeOf(path, unknown));
    if (!isKnownFirst) times.known.push(await timeOf(path, known));
  }
  const [one, other] = [meanOfFasterHalf(times.known), meanOfFasterHalf(times.unknown)];
  return Math.abs(one - other) / Math.max(one, other);
}

test.each(['forgot-password', 'resend-verification'])(
  '%s answers a known and an unknown address alike, in equal time',
  { timeout: 120_000 },
  async (path) => {
    const { email } = await registerPerson(service);
    const unknown = email.replace(/^.{8}/, 'nobody00');
    const [one, other] = [await ask(path, email), await ask(path, unknown)];
    const facts = ({ status, body, headers }: typeof one) => ({ status, body, names: [...headers.keys()] });
    expect(facts(one)).toEqual(facts(other));
    const differences: number[] = [];
    while (differences.length < roundsMax && !differences.some((difference) => difference < 0.05)) {
      differences.push(await differenceOf(path, email, unknown));
    }
    expect(Math.min(...differences)).toBeLessThan(0.05);
  },
);
