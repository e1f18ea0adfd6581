import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { registerApplication } from './harness/applications.ts';
import { runCurl } from './harness/curl.ts';
import { startTestService } from './harness/index.ts';
import { loopbackEnv } from './harness/webhooks.ts';
import { addWalletHolder } from './harness/wallets.ts';

// The code of the guides, run as it stands.

const guide = await readFile(join(import.meta.dirname, '../../docs/guides/webhooks.md'), 'utf8');
const blocks = (language: string) =>
  [...guide.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\``, 'g'))].map((match) => match[1]!);
const [receiverSource = '', verifySource = ''] = blocks('js');
const commands = blocks('bash').join('\n').split('\n');

// Beside the tests, so that the packages of the repository are found.
const dir = await mkdtemp(join(import.meta.dirname, 'guide-'));
afterAll(() => rm(dir, { recursive: true }));

/** Starts the program, and returns its lines as they come. */
async function startProgram(source: string, env: Record<string, string>): Promise<string[]> {
  const path = join(dir, 'program.mjs');
  await writeFile(path, source);
  const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const lines: string[] = [];
  child.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')));
  await expect.poll(() => lines.length, { timeout: 10_000 }).toBeGreaterThan(0);
  return lines;
}

test('an application hears of events the way the guide on webhooks says', async () => {
  const service = await startTestService({ env: loopbackEnv, startAt: new Date().toISOString() });
  const ada = await addWalletHolder(service);
  const app = await registerApplication(service, ada.token);
  const values: Record<string, string> = { ACCESS_TOKEN: ada.token, APPLICATION_ID: app.id };
  const run = (command: string) =>
    runCurl(
      service.url,
      command.replaceAll(/\$([A-Z_]+)/g, (_, name: string) => values[name] ?? ''),
    );
  const [register = '', ping = '', log = ''] = commands;
  expect(commands).toHaveLength(3);

  // The secret is known only after the registration, so the receiver starts at its port afterwards.
  values.ENDPOINT_URL = 'http://localhost:4000/';
  const created = await run(register);
  expect(created.status).toBe(201);
  const { id, secret } = created.body.endpoint;
  values.ENDPOINT_ID = id;
  const lines = await startProgram(receiverSource, { WEBHOOK_SECRET: secret, PORT: '0' });
  const port = /^listening on (\d+)$/.exec(lines[0]!)?.[1];
  const url = `http://localhost:${port}/`;
  await service.send('PATCH', `/api/v1/webhooks/endpoints/${id}`, { token: ada.token, body: { url } });

  expect((await run(ping)).status).toBe(202);
  await service.ctx.jobs.runDue();
  await service.send('POST', '/api/v1/credits/use', {
    token: ada.token,
    body: { amount: 120, appId: 'chat', description: 'Chat message' },
  });
  await service.ctx.jobs.runDue();
  const low = { userId: ada.userId, walletId: ada.userId, available: 30, threshold: 50 };
  await expect.poll(() => lines.length).toBe(3);
  expect(lines[1]).toBe(`webhook.ping {"endpointId":"${id}"}`);
  expect(lines[2]?.split(' ')[0]).toBe('credits.low');
  expect(JSON.parse(lines[2]!.slice('credits.low '.length))).toEqual(low);
  const { body } = await run(log);
  expect(body.deliveries.map(({ status }: any) => status)).toEqual(['succeeded', 'succeeded']);

  const forged = await fetch(url, { method: 'POST', body: '{}', headers: { 'webhook-id': 'x' } });
  expect(forged.status).toBe(401);
});

test('the few lines without the package verify the same', async () => {
  const path = join(dir, 'verify.mjs');
  await writeFile(path, verifySource);
  const { verify } = await import(path);
  const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMVb5sSYspob7oD0'];
  const [id, at, body] = ['event-1', new Date('2026-03-01T12:00:00Z'), '{"type":"webhook.ping"}'];
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(at.getTime() / 1000),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
  vi.useFakeTimers({ toFake: ['Date'], now: at });
  try {
    for (const secret of secrets) {
      expect(verify(body, headers, secret)).toEqual({ type: 'webhook.ping' });
    }
    expect(() => verify('{}', headers, secrets[0])).toThrow('wrong signature');
    vi.setSystemTime(at.getTime() + 301_000);
    expect(() => verify(body, headers, secrets[0])).toThrow('too old');
  } finally {
    vi.useRealTimers();
  }
});
