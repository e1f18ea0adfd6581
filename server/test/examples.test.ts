import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createObolClient, type Hold } from '../../examples/lib/obol-client.ts';
import { createAnswerServer, type Model } from '../../examples/streaming-ai-call.ts';
import { runSubAgents } from '../../examples/sub-agents.ts';
import { registerApplication } from './harness/applications.ts';
import { startTestService } from './harness/index.ts';
import { addAdministrator, expectSound, readOwn } from './harness/movements.ts';
import { addWalletHolder, type WalletHolder } from './harness/wallets.ts';

const service = await startTestService();
const app = await registerApplication(service, (await addAdministrator(service)).token);
const obol = createObolClient({ url: service.url, ...app });
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const give = async (allowance: number) =>
  service.send('POST', '/api/v1/credits/mandates', {
    token: holder.token,
    body: { appId: app.clientId, allowance, period: 'day' },
  });
const balance = () => readOwn(service, holder, 'balance');

/**
 * Says the prompt's words; after the last one it goes on thinking until it is told to stop, if it is to
 * hang.
 */
const parrot = ({ hangs = false } = {}): Model =>
  async function* (prompt, signal) {
    for (const word of prompt.split(' ')) yield `${word} `;
    if (hangs && !signal.aborted) await once(signal, 'abort');
  };

/**
 * Asks an app's server, and resolves with the answer; the settlement comes when the reader is served or
 * gone.
 */
async function ask(model: Model, words: number, read: (stream: NodeJS.ReadableStream) => Promise<unknown>) {
  const { promise: settled, resolve } = Promise.withResolvers<Hold>();
  const server = createAnswerServer({ obol, model, onSettled: resolve });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = request({ port, host: '127.0.0.1', path: '/answer', method: 'POST' });
  asked.end(
    JSON.stringify({
      userId: holder.userId,
      prompt: Array.from({ length: words }, () => 'word').join(' '),
    }),
  );
  const [response] = await once(asked, 'response');
  const answer = await read(response);
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { status: response.statusCode as number, answer, settled, close };
}

describe('a streamed answer', () => {
  test('costs what was sent: more is set aside as it grows, the rest comes back', async () => {
    await give(100);
    const { answer, settled, close } = await ask(parrot(), 45, text);
    expect(String(answer).trim().split(' ')).toHaveLength(45);
    expect(await settled).toMatchObject({ status: 'captured', amount: 60, captured: 45, remaining: 0 });
    expect(await balance()).toMatchObject({ totalSpent: 45, available: 105, held: 0 });
    expect((await readOwn(service, holder, 'usage?groupBy=model')).items).toEqual([
      { key: 'parrot', count: 1, amount: 45 },
    ]);
    await close();
  });

  test('is settled when the reader goes away in the middle', async () => {
    await give(100);
    const { settled, close } = await ask(parrot({ hangs: true }), 30, async (stream) => {
      let sent = '';
      for await (const chunk of stream) {
        sent += String(chunk);
        if (sent.trim().split(' ').length === 30) break;
      }
    });
    expect(await settled).toMatchObject({ status: 'captured', captured: 30 });
    expect(await balance()).toMatchObject({ totalSpent: 30, available: 120, held: 0 });
    await close();
  });

  test('ends where the allowance does', async () => {
    await give(50);
    const { answer, settled, close } = await ask(parrot(), 100, text);
    expect(answer).toContain('no more credits');
    expect(await settled).toMatchObject({ captured: 40 });
    expect(await balance()).toMatchObject({ totalSpent: 40, held: 0 });
    await close();
  });

  test('is not begun without a mandate, and says where to give one', async () => {
    const { status, answer, close } = await ask(parrot(), 5, text);
    expect(status).toBe(403);
    expect(JSON.parse(String(answer))).toMatchObject({
      code: 'mandate.required',
      raiseUrl: expect.stringContaining('http'),
    });
    await close();
  });

  test('that a crashed app never settles costs nothing', async () => {
    await give(100);
    await obol.placeHold({ onBehalfOf: holder.userId, amount: 20, description: 'x', expiresInSeconds: 60 });
    service.clock.advance({ seconds: 60 });
    expect(await balance()).toMatchObject({ available: 150, held: 0, totalSpent: 0 });
  });
});

describe('sub-agents', () => {
  test('share one mandate: what they may cost never exceeds it, what they did cost is charged', async () => {
    await give(100);
    const tasks = Array.from({ length: 30 }, (_, index) => ({
      name: `task ${index}`,
      costMax: 10,
      work: async () => {
        if (index % 5 === 0) throw new Error('the tool is away');
        return 1 + (index % 3);
      },
    }));
    const reports = await runSubAgents(obol, holder.userId, tasks);
    const cost = reports.reduce((sum, report) => sum + report.cost, 0);
    const [mandate] = await readOwn(service, holder, 'mandates');
    expect(mandate).toMatchObject({ used: cost, remaining: 100 - cost });
    expect(await balance()).toMatchObject({ totalSpent: cost, held: 0, available: 150 - cost });
    for (const { outcome, code } of reports) {
      if (outcome === 'refused') expect(code).toBe('mandate.exceeded');
    }
    expect(reports.filter(({ outcome }) => outcome === 'done').length).toBeGreaterThan(0);
  });

  test('that all hold at once: ten fit, the others are not begun', async () => {
    await give(100);
    let begun = 0;
    const { promise: allAsked, resolve } = Promise.withResolvers<void>();
    let answered = 0;
    const counted = {
      ...obol,
      placeHold: (hold: Parameters<typeof obol.placeHold>[0]) =>
        obol.placeHold(hold).finally(() => {
          if (++answered === 30) resolve();
        }),
    };
    const tasks = Array.from({ length: 30 }, (_, index) => ({
      name: `task ${index}`,
      costMax: 10,
      work: async () => {
        begun++;
        await allAsked;
        return 10;
      },
    }));
    const reports = await runSubAgents(counted, holder.userId, tasks);
    expect(begun).toBe(10);
    expect(reports.filter(({ outcome }) => outcome === 'refused')).toHaveLength(20);
    expect(await balance()).toMatchObject({ totalSpent: 100, available: 50 });
  });
});
