import { exportPKCS8, exportSPKI, generateKeyPair, createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { expect, test, vi } from 'vitest';
import { createTestClock, startTestService, type TestService } from '../../../test/harness/index.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';
import { rotateKeys } from './index.ts';

/**
 * What a resource server does: fetches the keys by itself, keeps them, asks again for a key it does not know.
 */
function createResourceServer(at: TestService) {
  let fetches = 0;
  const jwks = createRemoteJWKSet(new URL(`${at.url}/.well-known/jwks.json`), {
    cooldownDuration: 0,
    [customFetch]: (url, options) => {
      fetches++;
      return fetch(url, options);
    },
  });
  return {
    fetches: () => fetches,
    verify: (token: string) =>
      jwtVerify(token, jwks, {
        issuer: at.ctx.config.jwtIssuer,
        audience: at.ctx.config.jwtAudience,
        typ: 'at+jwt',
        algorithms: ['RS256'],
        currentDate: at.clock.now(),
      }),
  };
}

const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()).kid;
const publishedKids = async (at: TestService): Promise<string[]> =>
  (await at.send('GET', '/.well-known/jwks.json')).body.keys
    .filter(({ alg }: { alg: string }) => alg === 'RS256')
    .map(({ kid }: { kid: string }) => kid);

test('keys rotate without a restart and without a token lost', async () => {
  const service = await startTestService();
  const second = await startTestService({ shareDatabaseWith: service });
  const resource = createResourceServer(second);
  const person = await registerPerson(service);
  const before = await signIn(service, person);
  await resource.verify(before.accessToken);

  const { kid, signsFrom, previousRetireAt } = await rotateKeys(service.ctx);
  expect(signsFrom.getTime() - service.clock.now().getTime()).toBe(600_000);
  expect(await publishedKids(service)).toEqual([kidOf(before.accessToken), kid]);
  const meanwhile = await signIn(service, person);
  expect(kidOf(meanwhile.accessToken)).toBe(kidOf(before.accessToken));

  service.clock.set(signsFrom);
  const after = await signIn(service, person);
  expect(kidOf(after.accessToken)).toBe(kid);
  // The second process has not reloaded: the unknown kid makes it.
  const me = await second.send('GET', '/api/v1/auth/me', { token: after.accessToken });
  expect(me.status).toBe(200);
  await resource.verify(after.accessToken);
  await resource.verify(meanwhile.accessToken);
  expect(resource.fetches()).toBe(2);
  expect((await service.send('GET', '/api/v1/auth/me', { token: meanwhile.accessToken })).status).toBe(200);

  service.clock.set(previousRetireAt);
  expect(await publishedKids(service)).toEqual([kid]);
  expect(await publishedKids(second)).toEqual([kid]);
  expect(kidOf((await signIn(second, person)).accessToken)).toBe(kid);
});

test('a process learns of a rotation elsewhere within a minute, without any token', async () => {
  const service = await startTestService();
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const second = await startTestService({ shareDatabaseWith: service });
  const { kid } = await rotateKeys(service.ctx);
  expect(await publishedKids(second)).not.toContain(kid);
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  await vi.waitFor(async () => expect(await publishedKids(second)).toContain(kid), { timeout: 20_000 });
});

test('a rotation that is under way is not started twice', async () => {
  const service = await startTestService();
  const second = await startTestService({ shareDatabaseWith: service });
  const [one, other] = await Promise.all([rotateKeys(service.ctx), rotateKeys(second.ctx)]);
  expect(one).toEqual(other);
  expect(await publishedKids(second)).toHaveLength(2);
});

test('rotating again and again forgets the keys that have retired', async () => {
  const service = await startTestService();
  const owner = await connectAsOwner(service);
  for (let rotation = 0; rotation < 3; rotation++) {
    const { previousRetireAt } = await rotateKeys(service.ctx);
    service.clock.set(previousRetireAt);
  }
  await rotateKeys(service.ctx);
  const { rows } = await owner.query('select kid, algorithm from auth.signing_keys order by signs_from_at');
  const rsa = rows.filter(({ algorithm }) => algorithm === 'RS256');
  expect(rsa.map(({ kid }) => kid)).toEqual(await publishedKids(service));
  expect(rows).toHaveLength(6);
});

test('processes that start at once on an empty database make one key of each kind', async () => {
  const first = await startTestService();
  const owner = await connectAsOwner(first);
  await owner.query('delete from auth.signing_keys');
  const services = await Promise.all(
    Array.from({ length: 4 }, () => startTestService({ shareDatabaseWith: first })),
  );
  const { rows } = await owner.query('select kid, algorithm from auth.signing_keys');
  expect(new Set(rows.map(({ algorithm }) => algorithm))).toEqual(new Set(['ES256', 'EdDSA', 'RS256']));
  expect(rows).toHaveLength(3);
  const rsa = rows.find(({ algorithm }) => algorithm === 'RS256');
  for (const service of services) expect(await publishedKids(service)).toEqual([rsa.kid]);
});

test('the private half lies sealed in the database, and only OBOL_SECRET opens it', async () => {
  const service = await startTestService();
  const owner = await connectAsOwner(service);
  const { rows } = await owner.query('select sealed_private_jwk, public_jwk from auth.signing_keys');
  const sealed: Buffer = rows[0].sealed_private_jwk;
  expect(sealed.toString('latin1')).not.toContain('"d"');
  for (const row of rows) expect(row.public_jwk).not.toHaveProperty('d');
  const env = { OBOL_SECRET: 'another secret, thirty-two characters long' };
  await expect(startTestService({ shareDatabaseWith: service, env })).rejects.toThrow(/OBOL_SECRET/);
});

test('sealed keys that were altered or swapped do not open', async () => {
  const service = await startTestService();
  const owner = await connectAsOwner(service);
  await rotateKeys(service.ctx);
  await owner.query(`update auth.signing_keys a set sealed_private_jwk = b.sealed_private_jwk
    from auth.signing_keys b where a.kid <> b.kid`);
  await expect(startTestService({ shareDatabaseWith: service })).rejects.toThrow(/OBOL_SECRET/);
});

test('the JWKS stands at both addresses, is cacheable and holds public halves only', async () => {
  const service = await startTestService();
  const answers = [
    await service.send('GET', '/.well-known/jwks.json'),
    await service.send('GET', '/api/v1/auth/jwks'),
    await service.send('GET', '/api/auth/jwks'),
  ];
  for (const { status, body, headers } of answers) {
    expect({ status, body }).toEqual({ status: 200, body: answers[0]!.body });
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    const members = body.keys.map((key: object) => Object.keys(key).sort().join(' ')).sort();
    expect(members).toEqual(['alg crv kid kty use x', 'alg crv kid kty use x y', 'alg e kid kty n use']);
  }
});

test('a key given by JWT_PRIVATE_KEY signs, and is not ours to rotate', async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const env = {
    // One line with escaped line ends, the way it stands in many .env files.
    JWT_PRIVATE_KEY: (await exportPKCS8(privateKey)).replaceAll('\n', '\\n'),
    JWT_PUBLIC_KEY: await exportSPKI(publicKey),
  };
  const service = await startTestService({ env, clock: createTestClock() });
  const { accessToken } = await signIn(service, await registerPerson(service));
  expect(await publishedKids(service)).toEqual([kidOf(accessToken)]);
  await jwtVerify(accessToken, publicKey, { currentDate: service.clock.now() });
  await expect(rotateKeys(service.ctx)).rejects.toMatchObject({ code: 'auth.keys_given' });
});

test('keys that cannot be used are named at start', async () => {
  const one = await generateKeyPair('RS256', { extractable: true });
  const other = await generateKeyPair('RS256', { extractable: true });
  const given = await exportPKCS8(one.privateKey);
  const cases: [Record<string, string>, RegExp][] = [
    [{ JWT_PRIVATE_KEY: 'nonsense' }, /JWT_PRIVATE_KEY: is not an RSA key/],
    [{ JWT_PUBLIC_KEY: await exportSPKI(one.publicKey) }, /JWT_PUBLIC_KEY: needs JWT_PRIVATE_KEY/],
    [
      { JWT_PRIVATE_KEY: given, JWT_PUBLIC_KEY: await exportSPKI(other.publicKey) },
      /JWT_PUBLIC_KEY: does not belong/,
    ],
  ];
  for (const [env, message] of cases) await expect(startTestService({ env })).rejects.toThrow(message);
});
