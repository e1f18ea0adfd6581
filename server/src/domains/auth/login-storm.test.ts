import { readdir, readFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';
import { startTestService, type Answer } from '../../../test/harness/index.ts';
import { logIn, registerPerson, signIn } from '../../../test/harness/people.ts';
import { lowerPoolThreads } from './index.ts';

/** One hash at once, so that two hundred sign-ins are a storm on every machine. */
const service = await startTestService({ env: { PASSWORD_HASH_CONCURRENCY: '1' } });
const connections = 200;
const inQueueMax = 50;

/** Far below two hundred hashes of 19 MiB at once, which take 3.8 GB. */
const growthBytesMax = 600 * 1024 * 1024;

type Storm = {
  ended: Promise<Answer[]>;
  pending: () => number;
  peakBytes: () => number;
  queued: () => number;
};

/** As many sign-ins at once as there are connections. Watches the memory and the queue meanwhile. */
function startStorm(attempt: () => Promise<Answer>): Storm {
  let pending = connections;
  let peakBytes = 0;
  let queued = 0;
  const watch = (): void => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    queued = Math.max(queued, service.ctx.passwords.waiting());
  };
  const attempts = Array.from({ length: connections }, async () => {
    const answer = await attempt();
    pending -= 1;
    watch();
    return answer;
  });
  return {
    ended: Promise.all(attempts),
    pending: () => pending,
    peakBytes: () => peakBytes,
    queued: () => queued,
  };
}

test('a storm of sign-ins is answered or refused, and everybody else is served meanwhile', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const quietBytes = process.memoryUsage.rss();
  const storm = startStorm(() => logIn(service, person));
  for (let asked = 0; asked < 3; asked++) {
    const answers = await Promise.all([
      service.send('GET', '/api/v1/credits/balance', { token: accessToken }),
      service.send('POST', '/api/v1/auth/validate', { body: { token: accessToken } }),
      service.send('GET', '/health/ready'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  }
  expect(storm.pending()).toBeGreaterThan(0);
  const answers = await storm.ended;
  const signedIn = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 503);
  expect(signedIn.length + refused.length).toBe(connections);
  expect(signedIn.length).toBeGreaterThanOrEqual(inQueueMax);
  expect(refused.length).toBeGreaterThan(0);
  for (const { headers, body } of refused) {
    expect(body).toMatchObject({ code: 'server.busy', status: 503 });
    expect(headers.get('retry-after')).toBe('1');
  }
  expect(storm.queued()).toBeLessThanOrEqual(inQueueMax);
  expect(storm.peakBytes() - quietBytes).toBeLessThan(growthBytesMax);
  expect(service.ctx.passwords.waiting()).toBe(0);
  expect((await logIn(service, person)).status).toBe(200);
});

test('wrong passwords storm no better than right ones', async () => {
  const person = await registerPerson(service);
  const storm = startStorm(() => logIn(service, person, 'not the password'));
  const answers = await storm.ended;
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 503]));
  expect(storm.queued()).toBeLessThanOrEqual(inQueueMax);
});

test.runIf(process.platform === 'linux')(
  'the threads that hash give way to the one that answers',
  async () => {
    const mine = getPriority();
    expect(await lowerPoolThreads()).toBeGreaterThan(0);
    const nices = await Promise.all(
      (await readdir('/proc/self/task')).map(async (id) => {
        const [name, stat] = await Promise.all([
          readFile(`/proc/self/task/${id}/comm`, 'utf8'),
          readFile(`/proc/self/task/${id}/stat`, 'utf8'),
        ]);
        // The nineteenth field; the second, the name, may hold spaces. @see proc_pid_stat(5)
        return { name: name.trim(), nice: Number(stat.slice(stat.lastIndexOf(')')).split(' ')[17]) };
      }),
    );
    const hashing = nices.filter(({ name }) => name === 'libuv-worker');
    expect(hashing.length).toBeGreaterThan(0);
    for (const { nice } of hashing) expect(nice).toBeGreaterThanOrEqual(10);
    expect(getPriority()).toBe(mine);
  },
);
