import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { logIn, registerPerson, type Person } from '../../../test/harness/people.ts';

const service = await startTestService();
const newPassword = 'a lantern for the horse';

const open = (path: string) => fetch(`${service.url}${path}`, { redirect: 'manual' });

const cookieOf = (answer: Response) => (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';

/** Submits a form with its token, as a browser without JavaScript does. */
async function submit(path: string, fields: Record<string, string>): Promise<Response> {
  const shown = await open(path);
  const body = new URLSearchParams({ csrf: hiddenField(await shown.text(), 'csrf'), ...fields });
  const headers = { cookie: cookieOf(shown) };
  return fetch(`${service.url}${path}`, { method: 'POST', headers, body, redirect: 'manual' });
}

/** The path with its token, as it stands in the newest mail with such a link. */
async function linkFor(person: Person, path: string): Promise<string> {
  const links = (await service.mails(person.email)).flatMap((mail) => mail.links);
  const url = new URL(links.find((link) => new URL(link).pathname === path) ?? '');
  return `${url.pathname}${url.search}`;
}

const hiddenField = (page: string, name: string) =>
  new RegExp(`<input type="hidden" name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';
const hiddenToken = (page: string) => hiddenField(page, 'token');

const isVerified = async (person: Person) => (await logIn(service, person)).body.user.emailVerified;

test('opening a link of a mail uses nothing up; pressing its button does', async () => {
  const person = await registerPerson(service);
  const link = await linkFor(person, '/verify-email');
  for (let scan = 0; scan < 3; scan++) expect((await open(link)).status).toBe(200);
  expect(await isVerified(person)).toBe(false);
  const page = await (await open(link)).text();
  expect(page).toMatch(/<form [^>]*action="\/verify-email" method="post">/);
  const answer = await submit('/verify-email', { token: hiddenToken(page) });
  expect(answer.status).toBe(303);
  expect(answer.headers.get('location')).toBe('/verify-email?done');
  expect(await (await open('/verify-email?done')).text()).toContain('Your address is confirmed');
  expect(await isVerified(person)).toBe(true);
  const again = await submit('/verify-email', { token: hiddenToken(page) });
  expect(again.status).toBe(400);
  expect(again.headers.get('content-type')).toContain('text/html');
  const refusal = await again.text();
  expect(refusal).toContain('The link does not work any more');
  expect(refusal).not.toContain('Ask for a new link');
});

test('a password is asked for, set and forgotten without JavaScript', async () => {
  const person = await registerPerson(service);
  const asked = await submit('/forgot-password', { email: person.email });
  expect(asked.status).toBe(303);
  const unknown = await submit('/forgot-password', { email: 'nobody@example.com' });
  expect(unknown.headers.get('location')).toBe(asked.headers.get('location'));
  const token = hiddenToken(await (await open(await linkFor(person, '/reset-password'))).text());
  const refused = await submit('/reset-password', { token, newPassword: 'password123' });
  expect(refused.status).toBe(400);
  const form = await refused.text();
  expect(form).toContain('This password is one of the most common passwords');
  expect(hiddenToken(form)).toBe(token);
  expect(form).not.toContain('password123');
  const set = await submit('/reset-password', { token, newPassword });
  expect(set.status).toBe(303);
  expect((await logIn(service, person, newPassword)).status).toBe(200);
});

test.each(['/verify-email?token=x', '/reset-password?token=x', '/forgot-password'])(
  '%s cannot be framed, stored or scripted by others, and leaks no referrer',
  async (path) => {
    const answer = await open(path);
    const page = await answer.text();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('x-frame-options')).toBe('DENY');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy.split('; ').sort()).toEqual(
      [
        "base-uri 'none'",
        "default-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "img-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
      ].sort(),
    );
    expect(page).not.toMatch(/<style| style=| on[a-z]+="/);
    expect(page).toContain('<html lang="en">');
  },
);

test('the mailbox has no script, and its one stylesheet is named by its hash', async () => {
  const answer = await open('/dev/mail');
  const page = await answer.text();
  const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? '';
  const styleHash = createHash('sha256').update(style).digest('base64');
  expect(answer.headers.get('content-security-policy')).toBe(
    `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  );
  expect(page).not.toMatch(/<script| style=| on[a-z]+=/);
});

test('what stands in the address of a page is text', async () => {
  const attack = '"></script><script>alert(1)</script>';
  const page = await (await open(`/reset-password?token=${encodeURIComponent(attack)}`)).text();
  expect(page.match(/<script/g)).toHaveLength(2);
  expect(page).toContain('value="&quot;&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"');
  const data = /<script type="application\/json" id="page-data">(.*?)<\/script>/.exec(page)?.[1] ?? '';
  expect(JSON.parse(data)).toMatchObject({ name: 'reset-password', form: { hidden: { token: attack } } });
});

test('a form that is not ours is answered with a page, not a fault', async () => {
  for (const [path, fields] of [
    ['/verify-email', {}],
    ['/reset-password', { token: 'x' }],
    ['/forgot-password', { email: 'no address' }],
    ['/reset-password', { token: 'x'.repeat(300), newPassword }],
    ['/verify-email', { token: '\0' }],
  ] as [string, Record<string, string>][]) {
    const answer = await submit(path, fields);
    expect(answer.status, path).toBe(400);
    expect(answer.headers.get('content-type')).toContain('text/html');
    const [shown] = (await answer.text()).split('<script type="application/json"');
    // What is written for programs puts names between backticks.
    expect(shown).not.toMatch(/undefined|`/);
  }
});

test('a form that another site sends, or another browser, changes nothing', async () => {
  const person = await registerPerson(service);
  const page = await open(await linkFor(person, '/verify-email'));
  const text = await page.text();
  const [token, csrf] = [hiddenToken(text), hiddenField(text, 'csrf')];
  const otherBrowser = cookieOf(await open('/forgot-password'));
  for (const [headers, fields] of [
    [{ cookie: cookieOf(page) }, { token }],
    [{ cookie: cookieOf(page) }, { token, csrf: 'x'.repeat(43) }],
    [{ cookie: otherBrowser }, { token, csrf }],
    [{}, { token, csrf }],
  ] as [Record<string, string>, Record<string, string>][]) {
    const body = new URLSearchParams(fields);
    const answer = await fetch(`${service.url}/verify-email`, { method: 'POST', headers, body });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('The page was open for too long');
  }
  expect(await isVerified(person)).toBe(false);
});

test('the pages are limited like the calls that they stand for', async () => {
  const limited = await startTestService({ env: { RATE_LIMIT_ENABLED: 'true' } });
  const form = await fetch(`${limited.url}/forgot-password`);
  const csrf = hiddenField(await form.text(), 'csrf');
  const ask = () =>
    fetch(`${limited.url}/forgot-password`, {
      method: 'POST',
      headers: { cookie: cookieOf(form) },
      body: new URLSearchParams({ email: 'nobody@example.com', csrf }),
      redirect: 'manual',
    });
  for (let time = 0; time < 3; time++) expect((await ask()).status).toBe(303);
  const refused = await ask();
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await refused.text()).toContain('Wait a minute');
  const call = await limited.send('POST', '/api/v1/auth/forgot-password', {
    body: { email: 'n@example.com' },
  });
  expect(call.status).toBe(429);
});
