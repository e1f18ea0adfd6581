import { expect, test } from 'vitest';
import { codeOf, registerWithTotp } from '../../../test/harness/factors.ts';
import { expectPage, startTestProvider, TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestProvider();
const owner = await connectAsOwner(service);

test('switching codes off with what is wrong is refused at the field to blame', async () => {
  const holder = await registerWithTotp(service);
  const browser = new TestBrowser(service);
  const { email, password, secret } = holder;
  const first = expectPage(await browser.open('/account/security'), 'sign-in');
  const second = expectPage(await browser.submit(first, { email, password }), 'second-factor');
  const shown = expectPage(await browser.submit(second, { code: codeOf(service, secret) }), 'security');
  const form = { ...shown, page: { form: shown.page.removal } };
  for (const [field, wrong, code] of [
    ['code', { code: '000000' }, 'auth.code_wrong'],
    ['password', { password: 'not the password' }, 'auth.password_wrong'],
  ] as const) {
    service.clock.advance({ seconds: 30 });
    const right = { password, code: codeOf(service, secret) };
    const refused = expectPage(await browser.submit(form, { ...right, ...wrong }), 'security');
    expect([refused.status, refused.page.problem]).toEqual([403, { code, field }]);
    const [input = ''] = new RegExp(`<input[^>]*name="${field}"[^>]*>`).exec(refused.text) ?? [];
    expect(input).toContain('autofocus');
    expect(input).toContain('aria-invalid="true"');
    const described = /aria-describedby="([^"]+)"/.exec(input)?.[1] ?? '';
    expect(refused.text).toMatch(new RegExp(`id="${described}"[^>]*>That (code is|is) not`));
    expect(refused.text.match(/autofocus/g)).toHaveLength(1);
  }
});

test('the page says that the last way to sign in stays', async () => {
  const person = await registerPerson(service);
  const browser = new TestBrowser(service);
  const signIn = expectPage(await browser.open('/sign-in'), 'sign-in');
  await browser.submit(signIn, { email: person.email, password: person.password });
  await owner.query(
    `insert into auth.passkeys (id, user_id, credential_id, public_key, sign_count, transports, is_backed_up,
                                is_user_verified, name, created_at)
     values (gen_random_uuid(), $1, 'id', 'key', 0, '{}', false, true, 'Phone', $2)`,
    [person.id, service.clock.now()],
  );
  await owner.query(`update auth.sessions set amr = '{hwk,user,mfa}' where user_id = $1`, [person.id]);
  await owner.query('delete from auth.passwords where user_id = $1', [person.id]);
  const { page } = expectPage(await browser.open('/account/security'), 'security');
  const [{ removal: form }] = page.passkeys;
  const shown = expectPage(
    await browser.open(form.action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form.hidden).toString(),
    }),
    'security',
  );
  expect([shown.status, shown.page.problem?.code]).toEqual([409, 'auth.last_way_in']);
  expect(shown.text).toContain('This is your only way to sign in');
  expect(shown.page.passkeys).toHaveLength(1);
});
