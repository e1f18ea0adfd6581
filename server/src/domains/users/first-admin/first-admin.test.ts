import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../../test/harness/index.ts';
import { addAdministrator } from '../../../../test/harness/movements.ts';
import { logIn, registerPerson, signIn } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import { createFirstAdminLink } from '../index.ts';

const password = 'correct horse lantern';

async function newLink(service: TestService): Promise<string> {
  const link = await createFirstAdminLink(service.ctx);
  expect(link).toMatch(/^http:\/\/localhost:\d+\/first-admin\?token=[\w-]{43}$/);
  return new URL(link ?? '').searchParams.get('token') ?? '';
}

/** Opens the page as a browser does, and sends its form. */
async function claim(service: TestService, token: string, email: string, given = password) {
  const page = await fetch(`${service.url}/first-admin?token=${token}`);
  const cookie = page.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const fields = [...(await page.text()).matchAll(/name="(csrf|token)" value="([^"]*)"/g)];
  const form = new URLSearchParams(
    fields.map(([, name = '', value = '']): [string, string] => [name, value]),
  );
  form.set('email', email);
  form.set('password', given);
  if (!form.has('token')) form.set('token', token);
  const answer = await fetch(`${service.url}/first-admin`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    body: form,
  });
  return { opened: page.status, status: answer.status, text: await answer.text() };
}

describe('the link of the first administrator', () => {
  test('makes whoever registers by it the administrator, once', async () => {
    const service = await startTestService();
    const token = await newLink(service);
    const owner = await connectAsOwner(service);
    const { rows } = await owner.query(
      `select encode(token_hash, 'hex') as hash from auth.first_admin_links`,
    );
    expect(JSON.stringify(rows)).not.toContain(token);
    const email = `${randomUUID()}@example.com`;
    expect(await claim(service, token, email)).toMatchObject({ opened: 200, status: 303 });
    const { accessToken } = await signIn(service, { email, password, id: '' });
    const users = await service.send('GET', '/api/v1/users', { token: accessToken });
    expect(users.body).toMatchObject([{ email, role: 'admin', credits: 150 }]);
    const trail = await service.send('GET', '/api/v1/audit/events', { token: accessToken });
    expect(trail.body.events).toMatchObject([{ type: 'user.first_admin', actor: { id: users.body[0].id } }]);
    expect(await claim(service, token, `${randomUUID()}@example.com`)).toMatchObject({ opened: 400 });
    expect(await createFirstAdminLink(service.ctx)).toBeUndefined();
    expect((await service.send('GET', '/api/v1/users', { token: accessToken })).body).toHaveLength(1);
  });

  test('takes an account that is there, with its password only', async () => {
    const service = await startTestService();
    const token = await newLink(service);
    const ada = await registerPerson(service);
    const wrong = await claim(service, token, ada.email, 'not the password of ada');
    expect([wrong.status, wrong.text]).toEqual([
      401,
      expect.stringContaining('E-mail address or password is wrong'),
    ]);
    const weak = await claim(service, token, `${randomUUID()}@example.com`, 'password123');
    expect(weak.status).toBe(400);
    expect((await claim(service, token, '"><script>@', password)).text).not.toContain('"><script>');
    expect((await claim(service, token, ada.email.toUpperCase())).status).toBe(303);
    expect((await logIn(service, ada)).body.user.role).toBe('admin');
  });

  test('is void when it is invented, a day old, or somebody is an administrator', async () => {
    const service = await startTestService();
    const email = `${randomUUID()}@example.com`;
    expect(await claim(service, 'x'.repeat(43), email)).toMatchObject({ opened: 400, status: 403 });
    const [old, replaced] = [await newLink(service), await newLink(service)];
    service.clock.advance({ hours: 24 });
    expect((await claim(service, old, email)).opened).toBe(400);
    await addAdministrator(service);
    expect((await claim(service, replaced, email)).opened).toBe(400);
    expect(
      (await service.send('POST', '/first-admin', { body: { token: old, email, password } })).status,
    ).toBe(403);
    expect((await logIn(service, { email, password, id: '' })).status).toBe(401);
  });

  test('of several who use links at once, one is', async () => {
    const service = await startTestService();
    const tokens = [await newLink(service), await newLink(service)];
    const people = await Promise.all(Array.from({ length: 6 }, () => registerPerson(service)));
    const answers = await Promise.all(
      people.map(({ email }, index) => claim(service, tokens[index % 2] ?? '', email)),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    const owner = await connectAsOwner(service);
    expect((await owner.query(`select from auth.users where role = 'admin'`)).rowCount).toBe(1);
  });
});
