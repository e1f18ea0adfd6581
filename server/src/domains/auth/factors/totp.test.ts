import jsqr from 'jsqr';
import { decodeJwt } from 'jose';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import {
  challengeOf,
  codeOf,
  registerWithTotp,
  signInWithTotp,
  verifyCode,
} from '../../../../test/harness/factors.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { logIn, registerPerson, signIn } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

const post = (path: string, token: string | undefined, body?: unknown) =>
  service.send('POST', `/api/v1/auth${path}`, { ...(token ? { token } : {}), ...(body ? { body } : {}) });
const trailOf = async (token: string): Promise<string[]> => {
  const { body } = await service.send('GET', '/api/v1/auth/security-events?limit=200', { token });
  return body.events.map(({ type }: { type: string }) => type);
};

/** Reads the QR code as an app does. */
function readQrCode(dataUrl: string): string | undefined {
  const { data, width, height } = PNG.sync.read(Buffer.from(dataUrl.split(',')[1] ?? '', 'base64'));
  return jsqr.default(new Uint8ClampedArray(data), width, height)?.data;
}

test('the QR code says what an app needs: whose secret it is, and the secret', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const { status, body } = await post('/2fa/setup', accessToken);
  expect(status).toBe(200);
  expect(readQrCode(body.qrCode)).toBe(body.otpauthUrl);
  const url = new URL(body.otpauthUrl);
  expect([url.protocol, url.host]).toEqual(['otpauth:', 'totp']);
  expect(decodeURIComponent(url.pathname)).toContain(person.email);
  expect(url.searchParams.get('secret')).toBe(body.secret);
  expect(Buffer.from(body.secret)).toHaveLength(32);
});

test('a secret that was only set up is asked for by no sign-in', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  await post('/2fa/setup', accessToken);
  expect((await post('/2fa/enable', accessToken, { code: '000000' })).body.code).toBe('auth.code_wrong');
  expect((await logIn(service, person)).body.accessToken).toBeDefined();
});

test('once codes are on, a password alone opens nothing', async () => {
  const holder = await registerWithTotp(service);
  const { status, body, headers } = await logIn(service, holder);
  expect(status).toBe(200);
  expect(body).toEqual({
    twoFactorRequired: true,
    challengeToken: expect.any(String),
    methods: ['totp', 'backup_code'],
    expiresIn: 600,
  });
  expect(headers.getSetCookie()).toEqual([]);
  const { body: signedIn } = await verifyCode(service, body.challengeToken, codeOf(service, holder.secret));
  expect(decodeJwt(signedIn.accessToken)).toMatchObject({
    acr: 'urn:obol:second-factor',
    amr: ['pwd', 'otp', 'mfa'],
  });
  expect(signedIn).toMatchObject({ tokenType: 'Bearer', token: signedIn.accessToken, expiresIn: 900 });
  const refreshed = await post('/refresh', undefined, { refreshToken: signedIn.refreshToken });
  expect(decodeJwt(refreshed.body.accessToken)).toMatchObject({ acr: 'urn:obol:second-factor' });
});

test('rule 20: a reset of the password does not skip the second factor, and ends remembered devices', async () => {
  const holder = await registerWithTotp(service);
  const challenge = await challengeOf(service, holder);
  const { body } = await verifyCode(service, challenge, codeOf(service, holder.secret), {
    rememberDevice: true,
  });
  const { email } = holder;
  const known = { email, password: holder.password, deviceToken: body.deviceToken };
  expect((await post('/login', undefined, known)).body.accessToken).toBeDefined();
  const half = await challengeOf(service, holder);

  await post('/forgot-password', undefined, { email });
  const link = (await service.mails(email)).flatMap(({ links }) => links).find((url) => /reset/.test(url));
  const token = new URL(link ?? '').searchParams.get('token');
  const password = 'another lantern for the horse';
  expect((await post('/reset-password', undefined, { token, newPassword: password })).status).toBe(200);
  expect((await verifyCode(service, half, codeOf(service, holder.secret, 1))).body.code).toBe(
    'auth.challenge_invalid',
  );
  const again = await post('/login', undefined, { ...known, password });
  expect(again.body).toMatchObject({ twoFactorRequired: true });
});

test('rule 22: the secret is encrypted, and backup codes are hashed', async () => {
  const holder = await registerWithTotp(service);
  const { rows } = await owner.query(
    `select encode(t.sealed_secret, 'escape') as secret,
            (select string_agg(encode(b.code_hash, 'hex'), ' ') from auth.backup_codes b
              where b.user_id = t.user_id) as codes
       from auth.two_factor_auth t where t.user_id = $1`,
    [holder.id],
  );
  expect(rows[0].secret).not.toContain(holder.secret);
  expect(rows[0].codes.split(' ')).toHaveLength(10);
  for (const code of holder.backupCodes) {
    expect(rows[0].codes).not.toContain(Buffer.from(code.replaceAll('-', '')).toString('hex'));
  }
});

test('rule 22: one step before and one after are accepted, two are not, and none twice', async () => {
  const holder = await registerWithTotp(service);
  service.clock.advance({ minutes: 5 });
  const tryCode = async (stepsAway: number) => {
    const challenge = await challengeOf(service, holder);
    const answer = await verifyCode(service, challenge, codeOf(service, holder.secret, stepsAway));
    return answer.status === 200 ? 'in' : answer.body.code;
  };
  expect(await tryCode(-2)).toBe('auth.code_wrong');
  expect(await tryCode(2)).toBe('auth.code_wrong');
  expect(await tryCode(-1)).toBe('in');
  expect(await tryCode(-1)).toBe('auth.code_wrong');
  expect(await tryCode(0)).toBe('in');
  expect(await tryCode(1)).toBe('in');
  expect(await tryCode(0)).toBe('auth.code_wrong');
  expect(await tryCode(1)).toBe('auth.code_wrong');
});

test('rule 22: of twenty uses of one code at once, one gets in', async () => {
  const holder = await registerWithTotp(service);
  const code = codeOf(service, holder.secret);
  const challenges = await Promise.all(Array.from({ length: 20 }, () => challengeOf(service, holder)));
  const answers = await Promise.all(challenges.map((challenge) => verifyCode(service, challenge, code)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const { status } of answers) expect([200, 403, 429]).toContain(status);
});

test('of twenty uses of one backup code at once, one gets in', async () => {
  const holder = await registerWithTotp(service);
  const [code = ''] = holder.backupCodes;
  const challenges = await Promise.all(Array.from({ length: 20 }, () => challengeOf(service, holder)));
  const answers = await Promise.all(challenges.map((challenge) => verifyCode(service, challenge, code)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  const [second = ''] = holder.backupCodes.slice(1);
  service.clock.advance({ minutes: 16 });
  const typed = second.toUpperCase().replaceAll('-', ' ');
  const { status } = await verifyCode(service, await challengeOf(service, holder), typed);
  expect(status).toBe(200);
  const { body } = await service.send('GET', '/api/v1/auth/2fa', {
    token: (await signInWithTotp(service, holder)).accessToken,
  });
  expect(body).toMatchObject({ enabled: true, totp: true, passkeys: 0, backupCodesLeft: 8 });
});

test('twenty second steps of one sign-in at once open one session', async () => {
  const holder = await registerWithTotp(service);
  const challenge = await challengeOf(service, holder);
  const codes = [codeOf(service, holder.secret), codeOf(service, holder.secret, 1), ...holder.backupCodes];
  const answers = await Promise.all(codes.map((code) => verifyCode(service, challenge, code)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const { body } of answers.filter(({ status }) => status !== 200))
    expect(body.code).toBe('auth.challenge_invalid');
});

test('five wrong codes end the challenge, and the account waits a quarter of an hour, not for good', async () => {
  const holder = await registerWithTotp(service);
  await service.mails();
  const challenge = await challengeOf(service, holder);
  for (let count = 0; count < 5; count++) {
    expect((await verifyCode(service, challenge, '000000')).body.code).toBe('auth.code_wrong');
  }
  expect((await verifyCode(service, challenge, codeOf(service, holder.secret))).body.code).toBe(
    'auth.challenge_invalid',
  );
  const next = await challengeOf(service, holder);
  const blocked = await verifyCode(service, next, codeOf(service, holder.secret));
  expect(blocked).toMatchObject({ status: 429, body: { code: 'request.rate_limited' } });
  expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(0);
  const [notice] = await service.mails(holder.email);
  expect(notice?.text).toContain('several wrong codes');
  service.clock.advance({ minutes: 15 });
  const later = await verifyCode(service, await challengeOf(service, holder), codeOf(service, holder.secret));
  expect(later.status).toBe(200);
  expect(await trailOf(later.body.accessToken)).toEqual(
    expect.arrayContaining(['factor.refused', 'factor.blocked', 'login.succeeded']),
  );
});

test.each([
  [{ challengeToken: 'unknown', code: '123456' }, 401],
  [{ challengeToken: 'x'.repeat(201), code: '123456' }, 400],
  [{ challengeToken: 'unknown', code: 123456 }, 400],
  [{ challengeToken: 'unknown', code: '\u0000' }, 400],
  [{ challengeToken: 'unknown' }, 400],
  [{ code: '123456' }, 400],
])('a second step with %j is refused with %i', async (body, status) => {
  expect((await post('/2fa/verify', undefined, body)).status).toBe(status);
});

test('a challenge waits ten minutes', async () => {
  const holder = await registerWithTotp(service);
  const challenge = await challengeOf(service, holder);
  service.clock.advance({ minutes: 10 });
  expect((await verifyCode(service, challenge, codeOf(service, holder.secret))).body.code).toBe(
    'auth.challenge_invalid',
  );
});

test('switching off takes both factors, and leaves no backup codes', async () => {
  const holder = await registerWithTotp(service);
  const { accessToken } = await signInWithTotp(service, holder);
  const { password, secret } = holder;
  const code = codeOf(service, secret);
  const disable = (body: unknown) => post('/2fa/disable', accessToken, body);
  expect((await disable({ password: 'not it', code })).body.code).toBe('auth.password_wrong');
  expect((await disable({ password, code: '000000' })).body.code).toBe('auth.code_wrong');
  expect((await disable({ password })).status).toBe(400);
  expect((await disable({ password, code })).status).toBe(200);
  expect((await disable({ password, code: codeOf(service, secret, 1) })).body.code).toBe(
    'auth.factor_missing',
  );
  expect((await logIn(service, holder)).body.accessToken).toBeDefined();
  const { rows } = await owner.query('select from auth.backup_codes where user_id = $1', [holder.id]);
  expect(rows).toHaveLength(0);
  const subjects = (await service.mails(holder.email)).map(({ subject }) => subject);
  expect(subjects).toEqual(
    expect.arrayContaining(['Signing in to Obol now takes a code', 'Codes for Obol were switched off']),
  );
});

test('new backup codes make the ones before void', async () => {
  const holder = await registerWithTotp(service);
  const { accessToken } = await signInWithTotp(service, holder);
  const { status, body } = await post('/2fa/backup-codes', accessToken);
  expect([status, body.backupCodes.length]).toEqual([200, 10]);
  const [old = ''] = holder.backupCodes;
  expect((await verifyCode(service, await challengeOf(service, holder), old)).body.code).toBe(
    'auth.code_wrong',
  );
  const [fresh] = body.backupCodes;
  expect((await verifyCode(service, await challengeOf(service, holder), fresh)).status).toBe(200);
});

test('a second app is set up only after the first was switched off', async () => {
  const { accessToken } = await registerWithTotp(service);
  expect((await post('/2fa/setup', accessToken)).body.code).toBe('auth.factor_active');
  expect((await post('/2fa/enable', accessToken, { code: '123456' })).body.code).toBe('auth.factor_active');
  const other = await signIn(service, await registerPerson(service));
  expect((await post('/2fa/enable', other.accessToken, { code: '123456' })).body.code).toBe(
    'auth.factor_missing',
  );
  expect((await post('/2fa/backup-codes', other.accessToken)).body.code).toBe('auth.factor_missing');
  expect((await post('/2fa/setup', undefined)).status).toBe(401);
});

test('a remembered device is not asked for thirty days, is its owner’s alone, and can be forgotten', async () => {
  const [holder, other] = [await registerWithTotp(service), await registerWithTotp(service)];
  const challenge = await challengeOf(service, holder);
  const code = codeOf(service, holder.secret);
  const { body } = await verifyCode(service, challenge, code, { rememberDevice: true });
  const logInWith = ({ email, password }: typeof holder) =>
    post('/login', undefined, { email, password, deviceToken: body.deviceToken });
  const skipped = await logInWith(holder);
  expect(decodeJwt(skipped.body.accessToken)).toMatchObject({ acr: 'urn:obol:password', amr: ['pwd'] });
  expect((await logInWith(other)).body.twoFactorRequired).toBe(true);

  const status = await service.send('GET', '/api/v1/auth/2fa', { token: body.accessToken });
  const [device] = status.body.rememberedDevices;
  const forget = (token: string) =>
    service.send('DELETE', `/api/v1/auth/2fa/devices/${device.id}`, { token });
  const stranger = await signInWithTotp(service, other);
  expect((await forget(stranger.accessToken)).status).toBe(404);
  expect((await logInWith(holder)).body.accessToken).toBeDefined();
  expect((await forget(body.accessToken)).status).toBe(200);
  expect((await logInWith(holder)).body.twoFactorRequired).toBe(true);
});

test('thirty days later the device is asked again', async () => {
  const holder = await registerWithTotp(service);
  const challenge = await challengeOf(service, holder);
  const code = codeOf(service, holder.secret);
  const { body } = await verifyCode(service, challenge, code, { rememberDevice: true });
  const { email, password } = holder;
  const known = { email, password, deviceToken: body.deviceToken };
  service.clock.advance({ days: 29 });
  expect((await post('/login', undefined, known)).body.accessToken).toBeDefined();
  service.clock.advance({ days: 1 });
  expect((await post('/login', undefined, known)).body.twoFactorRequired).toBe(true);
});
