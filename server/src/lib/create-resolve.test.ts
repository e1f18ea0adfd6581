import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createResolve } from './create-resolve.ts';

const never = new AbortController().signal;
const types = { A: 1, AAAA: 28 } as const;
type Records = { A?: number[]; AAAA?: number[] };

/** A name server on this machine; without records it never answers. */
async function startNameServer(records?: Records): Promise<{ servers: string[]; askedFor: () => number }> {
  const server = createSocket('udp4');
  let questions = 0;
  server.on('message', (query, { port, address }) => {
    questions += 1;
    if (records) server.send(answerTo(query, records), port, address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { servers: [`127.0.0.1:${server.address().port}`], askedFor: () => questions };
}

/** An answer with the record of the type that is asked for; without any, there is no such name. */
function answerTo(query: Buffer, records: Records): Buffer {
  const questionEnd = query.indexOf(0, 12) + 5;
  const type = query.readUInt16BE(questionEnd - 4);
  const data = type === types.A ? records.A : records.AAAA;
  const isUnknown = !records.A && !records.AAAA;
  const head = Buffer.from([0x81, isUnknown ? 0x83 : 0x80, 0, 1, 0, data ? 1 : 0, 0, 0, 0, 0]);
  const record = data ? [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data] : [];
  return Buffer.concat([query.subarray(0, 2), head, query.subarray(12, questionEnd), Buffer.from(record)]);
}

const v4 = { address: '192.0.2.7', family: 4 };
const v6 = { address: '2001:db8::7', family: 6 };
const data = { A: [192, 0, 2, 7], AAAA: [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7] };

test.each([
  ['both families', data, [v4, v6]],
  ['one family', { A: data.A }, [v4]],
  ['the other one', { AAAA: data.AAAA }, [v6]],
])('a name has addresses of %s', async (_, records, addresses) => {
  const resolve = createResolve(await startNameServer(records));
  expect(await resolve('hooks.example.com', never)).toEqual(addresses);
});

test('a name that nobody knows is told from one that cannot be looked up', async () => {
  const resolve = createResolve(await startNameServer({}));
  await expect(resolve('hooks.example.com', never)).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

test('what stands in the hosts file is not asked for', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'obol-hosts-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const hostsFile = join(directory, 'hosts');
  await writeFile(
    hostsFile,
    '# 192.0.2.1 hooks.test\n192.0.2.7\tother Hooks.test # ours\n2001:db8::7 hooks.test\n',
  );
  const resolve = createResolve({ ...(await startNameServer()), hostsFile });
  expect(await resolve('hooks.TEST', never)).toEqual([v4, v6]);
});

test('names that never resolve hold up no other look-up, and end when they are told to', async () => {
  const { servers, askedFor } = await startNameServer();
  const resolve = createResolve({ servers });
  const controller = new AbortController();
  const names = Array.from({ length: 30 }, (_, index) => `hooks-${index}.example.com`);
  const ended = Promise.allSettled(names.map((name) => resolve(name, controller.signal)));
  await expect.poll(askedFor).toBeGreaterThanOrEqual(2 * names.length);
  expect(await lookup('localhost')).toMatchObject({ family: expect.any(Number) });
  controller.abort();
  for (const outcome of await ended)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'EAI_AGAIN' } });
});
