import { request } from 'node:http';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { registerPerson } from '../../../test/harness/people.ts';
import { startSmtpListener } from '../../../test/harness/smtp.ts';

const service = await startTestService();
const asJson = { headers: { accept: 'application/json' } };

test('the development mailbox lists mails as JSON, newest first, for one address or all', async () => {
  const [alice, bob] = [await registerPerson(service), await registerPerson(service)];
  await service.mails();
  service.clock.advance({ seconds: 1 });
  await service.send('POST', '/api/v1/auth/forgot-password', { body: { email: alice.email } });
  await service.mails();
  const mine = await service.send('GET', `/dev/mail?to=${alice.email.toUpperCase()}`, asJson);
  expect(mine.status).toBe(200);
  expect(mine.headers.get('content-type')).toContain('application/json');
  expect(mine.body).toMatchObject([
    {
      to: alice.email,
      subject: 'Choose a new Obol password',
      text: expect.any(String),
      html: expect.any(String),
    },
    { to: alice.email, subject: 'Confirm your address for Obol' },
  ]);
  expect(mine.body[0].links).toEqual([expect.stringMatching(/\/reset-password\?token=[\w-]{43}$/)]);
  const all = await service.send('GET', '/dev/mail', asJson);
  expect(all.body.map((mail: { to: string }) => mail.to).sort()).toEqual(
    [alice.email, alice.email, bob.email].sort(),
  );
});

test('the same mailbox is a page for people', async () => {
  const person = await registerPerson(service);
  await service.mails();
  const { status, body } = await service.send('GET', `/dev/mail?to=${person.email}`, {
    headers: { accept: 'text/html' },
  });
  expect(status).toBe(200);
  expect(body).toContain('<h1>Development mailbox</h1>');
  expect(body).toContain('<h2>Confirm your address for Obol</h2>');
  expect(body).toMatch(/<a href="http[^"]+\/verify-email\?token=[\w-]{43}">/);
  expect(body).toContain('One mail');
});

/** fetch may not choose the name it calls. */
function statusFor(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${url}/dev/mail`, { headers }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end();
  });
}

test('the mailbox answers a local name only, and no proxy', async () => {
  for (const host of ['localhost:3001', '127.0.0.1', '[::1]:3001', 'LOCALHOST']) {
    expect(await statusFor(service.url, { host })).toBe(200);
  }
  for (const host of ['attacker.example', 'localhost.attacker.example', '127.0.0.1.nip.io', '192.0.2.1']) {
    expect(await statusFor(service.url, { host })).toBe(404);
  }
  const proxied = ['x-forwarded-for', 'x-real-ip', 'x-forwarded-host', 'forwarded', 'via'];
  for (const name of proxied) expect(await statusFor(service.url, { [name]: '127.0.0.1' })).toBe(404);
});

async function statusFrom(remoteAddress: string): Promise<number> {
  const headers = { host: 'localhost' };
  return (await service.app.inject({ url: '/dev/mail', remoteAddress, headers })).statusCode;
}

test('the mailbox answers nobody who comes over the network', async () => {
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    expect(await statusFrom(address)).toBe(200);
  }
  for (const address of ['192.0.2.7', '10.0.0.1', '2001:db8::1', '::ffff:192.0.2.7']) {
    expect(await statusFrom(address)).toBe(404);
  }
});

test('the mailbox answers to the name of BASE_URL', async () => {
  const named = await startTestService({ env: { BASE_URL: 'http://obol.test:3001' } });
  expect(await statusFor(named.url, { host: 'obol.test:3001' })).toBe(200);
  expect(await statusFor(named.url, { host: 'attacker.example' })).toBe(404);
});

test('the mailbox forgets the oldest mails', async () => {
  for (let count = 0; count < 220; count++) {
    const mail = { to: 'many@example.com', subject: String(count), text: 'x', html: 'x' };
    await service.ctx.mail.send(mail);
  }
  const { body } = await service.send('GET', '/dev/mail', asJson);
  expect(body).toHaveLength(200);
  expect(body[0].subject).toBe('219');
});

test('there is no mailbox in production, with or without SMTP, nor where mails are delivered', async () => {
  const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://localhost/x' };
  const smtp = await startSmtpListener();
  for (const env of [production, { ...production, ...smtp.env }, smtp.env]) {
    const other = await startTestService({ env });
    for (const headers of [{}, asJson.headers]) {
      const answer = await other.send('GET', '/dev/mail', { headers });
      expect(answer).toMatchObject({ status: 404, body: { code: 'request.not_found' } });
    }
  }
});
