import { createServer, type AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { startTestService } from '../../test/harness/index.ts';
import { registerPerson } from '../../test/harness/people.ts';
import { startSmtpListener } from '../../test/harness/smtp.ts';
import { loadConfig } from '../config.ts';
import { createSmtpMailer, smtpOptions, verifySmtp } from './smtp.ts';
import { noticeMail, resetMail, verificationMail } from './templates.ts';

const someMail = { to: 'alice@example.com', subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' };

test('a mail reaches an SMTP server with sender, recipient, both bodies and no tracking', async () => {
  const smtp = await startSmtpListener();
  const service = await startTestService({ env: { ...smtp.env, APP_URL: 'https://accounts.example.com' } });
  const person = await registerPerson(service);
  expect(await service.ctx.jobs.runDue()).toBe(1);
  const [mail] = smtp.mails;
  expect(mail?.from).toMatchObject({ name: 'Obol', address: 'obol@example.com' });
  expect(mail?.to).toMatchObject([{ address: person.email }]);
  expect(mail?.subject).toBe('Confirm your address for Obol');
  const link = /https:\/\/accounts\.example\.com\/verify-email\?token=[\w-]{43}/;
  expect(mail?.text).toMatch(link);
  expect(mail?.html).toMatch(link);
  expect(mail?.html).not.toMatch(/<img|<script|src=/);
  expect(mail?.headers).toContainEqual(
    expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
  );
});

test('a mail that the server does not take now is delivered once it does', async () => {
  const smtp = await startSmtpListener();
  const service = await startTestService({ env: smtp.env });
  const person = await registerPerson(service);
  smtp.refusals = [{ code: 451, message: 'greylisted, try again' }];
  await service.ctx.jobs.runDue();
  expect(smtp.attempts).toBe(1);
  expect(smtp.mails).toEqual([]);
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  expect(smtp.mails).toHaveLength(1);
  const token = /token=([\w-]+)/.exec(smtp.mails[0]?.text ?? '')?.[1];
  const verified = await service.send('POST', '/api/v1/auth/verify-email', { body: { token } });
  expect(verified.status).toBe(200);
  expect(person.email).toBe(smtp.mails[0]?.to?.[0]?.address);
});

test('the service signs in at the SMTP server with its user and password', async () => {
  const signIns: unknown[] = [];
  const smtp = await startSmtpListener({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth({ username, password }, _session, callback) {
      signIns.push([username, password]);
      if (password === 'right') callback(null, { user: username });
      else callback(new Error('wrong password'));
    },
  });
  const settings = loadConfig({ ...smtp.env, SMTP_USER: 'obol', SMTP_PASS: 'right' });
  const mailer = createSmtpMailer(settings);
  await mailer.send(someMail);
  await mailer.close();
  expect(smtp.mails).toHaveLength(1);
  expect(signIns).toEqual([['obol', 'right']]);
  expect(await verifySmtp(settings)).toBeUndefined();
  expect(await verifySmtp({ ...settings, smtpPass: 'wrong' })).toContain('wrong password');
  const refused = createSmtpMailer({ ...settings, smtpPass: 'wrong' });
  await expect(refused.send(someMail)).rejects.toThrow('wrong password');
  await refused.close();
});

test('STARTTLS is used when offered, and a server that cannot prove its name gets no mail', async () => {
  const smtp = await startSmtpListener({ disabledCommands: [] });
  const mailer = createSmtpMailer(loadConfig(smtp.env));
  await expect(mailer.send(someMail)).rejects.toThrow(/certificate/);
  await mailer.close();
  expect(smtp.mails).toEqual([]);
  expect(smtp.attempts).toBe(0);
});

test('port 465 is encrypted from the start, and a password goes unencrypted to this machine only', () => {
  const settings = {
    smtpHost: 'mail.example.com',
    smtpPort: 587,
    smtpUser: 'obol',
    smtpPass: 'x',
    mailFrom: '',
  };
  expect(smtpOptions(settings)).toMatchObject({ secure: false, requireTLS: true, auth: { user: 'obol' } });
  expect(smtpOptions({ ...settings, smtpHost: 'localhost' })).toMatchObject({ requireTLS: false });
  expect(smtpOptions({ ...settings, smtpUser: '' })).toMatchObject({ requireTLS: false });
  expect(smtpOptions({ ...settings, smtpPort: 465 })).toMatchObject({ secure: true });
});

test('an SMTP server that is away is a finding, not a hang', async () => {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  expect(await verifySmtp(loadConfig({ SMTP_HOST: '127.0.0.1', SMTP_PORT: String(port) }))).toContain(
    'ECONNREFUSED',
  );
});

test('an address is one address, whatever it looks like', async () => {
  const recipients: string[] = [];
  const smtp = await startSmtpListener({
    onRcptTo({ address }, _session, callback) {
      recipients.push(address);
      callback();
    },
  });
  const mailer = createSmtpMailer(loadConfig(smtp.env));
  afterAll(() => mailer.close());
  for (const to of [
    'alice@example.com, mallory@example.com',
    'alice@example.com\r\nRCPT TO:<mallory@example.com>',
  ]) {
    await mailer.send({ ...someMail, to }).catch(() => {});
  }
  expect(recipients).not.toContain('mallory@example.com');
});

test('values stand in a mail as text, never as markup', () => {
  const to = '"><script>alert(1)</script>@example.com';
  const url = 'https://example.com/?a="onmouseover="alert(1)';
  const mails = [
    verificationMail({ to, url, validMinutes: 60 }),
    resetMail({ to, url, validMinutes: 60 }),
    noticeMail({ to, notice: 'password_reset', at: new Date('2026-03-01T12:00:00Z'), resetUrl: url }),
  ];
  for (const { html, text } of mails) {
    expect(html).not.toContain('<script');
    expect(html).not.toContain('"onmouseover');
    expect(html).toContain('&#60;script&#62;');
    expect(text).toContain(to);
    expect(text).toContain(url);
  }
});

test('in production without SMTP no mail is kept in memory, and the job waits', async () => {
  const env = { NODE_ENV: 'production', DATABASE_URL: 'postgres://localhost/x' };
  const service = await startTestService({ env });
  await registerPerson(service);
  expect(service.ctx.mail.mailbox).toBeUndefined();
  expect(await service.ctx.jobs.runDue()).toBe(1);
  expect(await service.ctx.jobs.runDue({ ignoreDelay: true })).toBe(1);
});
