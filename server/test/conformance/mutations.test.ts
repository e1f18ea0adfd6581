import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestApplication } from '../harness/applications.ts';
import { newPkce, startTestProvider, TestBrowser } from '../harness/oauth.ts';
import { OauthCalls, redirectUri } from '../harness/oauth-flow.ts';
import { registerOwnApplication } from '../harness/openid.ts';
import type { Person } from '../harness/people.ts';

// Valid requests with one to three things wrong, drawn by chance: 1,000 of them. A failure prints the seed.

const service = await startTestProvider();
const api = 'https://api.notes.example.com';
const runs = { numRuns: 500 };
const timeoutMs = 180_000;
let app: TestApplication;
let calls: OauthCalls;
let person: Person;
let browser: TestBrowser;

beforeAll(async () => {
  app = await registerOwnApplication(service, { resources: [api] });
  calls = new OauthCalls(service, app);
  ({ person, browser } = await calls.obtainTokens({ scope: 'openid offline_access', prompt: 'consent' }));
});

type Pair = [string, string];
type Mutation = (pairs: Pair[]) => Pair[];

const texts = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '0',
    '-1',
    'null',
    'true',
    '[]',
    '{}',
    '{"a":',
    '%00',
    '\u0000',
    '\ud800',
    '../../etc/passwd',
    "' or 1=1 --",
    'https://evil.example/',
    '//evil.example',
    'javascript:alert(1)',
    'x'.repeat(5000),
    '\r\nlocation: https://evil.example/',
    '😀',
    redirectUri,
    'https://notes.example.com/callback/',
    'openid offline_access credits:spend',
    'code token',
    'fragment',
    'form_post',
    'web_message',
    'consent',
    'none login',
    'S256',
    'plain',
    'eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.',
    '[{"type":"credits_spend","allowance":1e30,"period":"day"}]',
    '[{"type":"credits_spend"},null]',
    '{"id_token":{"sub":{"value":[]}}}',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
);
const names = fc.constantFrom(
  'client_id',
  'client_secret',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code',
  'code_verifier',
  'code_challenge',
  'code_challenge_method',
  'grant_type',
  'refresh_token',
  'prompt',
  'max_age',
  'display',
  'ui_locales',
  'claims_locales',
  'id_token_hint',
  'login_hint',
  'acr_values',
  'claims',
  'request',
  'request_uri',
  'registration',
  'resource',
  'authorization_details',
  'dpop_jkt',
  'device_code',
  'assertion',
  'client_assertion',
  'client_assertion_type',
  'subject_token',
  'subject_token_type',
  'audience',
  '__proto__',
  'constructor',
  'web_message_uri',
);

const mutations: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(), texts).map(
    ([at, text]): Mutation =>
      (pairs) =>
        change(pairs, at, () => text),
  ),
  fc.nat().map(
    (at): Mutation =>
      (pairs) =>
        pairs.filter((_, index) => index !== at % (pairs.length || 1)),
  ),
  fc.nat().map(
    (at): Mutation =>
      (pairs) =>
        [...pairs, ...pairs.slice(at % (pairs.length || 1))].slice(0, 40),
  ),
  fc.tuple(names, texts).map(([name, text]): Mutation => (pairs) => [...pairs, [name, text]]),
  fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 })).map(
    ([at, position, bit]): Mutation =>
      (pairs) =>
        change(pairs, at, (text) => flip(text, position, bit)),
  ),
  fc.nat().map(
    (at): Mutation =>
      (pairs) =>
        change(pairs, at, (text) => text.toUpperCase()),
  ),
  fc.tuple(fc.nat(), fc.nat()).map(
    ([from, to]): Mutation =>
      (pairs) =>
        change(pairs, to, () => pairs[from % (pairs.length || 1)]?.[1] ?? ''),
  ),
  fc.tuple(fc.nat(), names).map(
    ([at, name]): Mutation =>
      (pairs) =>
        pairs.map((pair, index) => (index === at % pairs.length ? [name, pair[1]] : pair)),
  ),
);
const several = fc.array(mutations, { minLength: 1, maxLength: 3 });

function change(pairs: Pair[], at: number, how: (text: string) => string): Pair[] {
  return pairs.map(([name, text], index) => (index === at % pairs.length ? [name, how(text)] : [name, text]));
}

function flip(text: string, position: number, bit: number): string {
  if (text === '') return text;
  const at = position % text.length;
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ bit) + text.slice(at + 1);
}

const apply = (pairs: Pair[], all: Mutation[]): string =>
  new URLSearchParams(all.reduce((left, mutate) => mutate(left), pairs)).toString();

const errorPattern = /^[a-z_]+$/;
/** What RFC 6749 allows in the words beside an error. */
const descriptionPattern = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;

/** A refusal in the form of RFC 6749 §5.2, with nothing of ours in it. */
function expectOauthError(status: number, body: Record<string, unknown>): void {
  expect([400, 401, 403]).toContain(status);
  expect(body['error']).toMatch(errorPattern);
  expect(body['error']).not.toBe('server_error');
  if (body['error_description'] !== undefined) expect(body['error_description']).toMatch(descriptionPattern);
}

/** Where a browser may be sent: on to our own pages, or back to the application, with the issuer's name. */
function expectOwnRedirect(location: string): void {
  const target = new URL(location, service.issuer);
  if (target.origin === service.issuer) {
    expect(target.pathname).toMatch(/^\/(interaction|authorize)\/[\w-]+$/);
    return;
  }
  expect(`${target.origin}${target.pathname}`).toBe(redirectUri);
  const answer = new URLSearchParams(`${target.search.slice(1)}&${target.hash.slice(1)}`);
  expect(answer.get('iss')).toBe(service.issuer);
  expect(answer.has('access_token') || answer.has('id_token')).toBe(false);
  if (answer.has('error')) expect(answer.get('error')).toMatch(errorPattern);
  else expect(answer.get('code')).toMatch(/^[\w-]{40,}$/);
}

/** An answer that a form sends on to the application by itself: only to an address that is registered. */
function expectOwnForm(text: string): void {
  const action = /<form[^>]* action="([^"]*)"/.exec(text)?.[1];
  if (action === undefined) return;
  expect(action === redirectUri || action.startsWith('/')).toBe(true);
}

describe('requests with something wrong in them', () => {
  test(
    'authorization: an error page or a refusal to the right place, never a 500',
    async () => {
      await fc.assert(
        fc.asyncProperty(several, fc.boolean(), async (all, isSignedIn) => {
          const valid: Pair[] = [
            ['client_id', app.clientId],
            ['redirect_uri', redirectUri],
            ['response_type', 'code'],
            ['scope', 'openid offline_access'],
            ['state', 'a state'],
            ['nonce', 'a nonce'],
            ['code_challenge', newPkce().challenge],
            ['code_challenge_method', 'S256'],
            ['resource', service.issuer],
          ];
          const by = isSignedIn ? browser : new TestBrowser(service);
          const { status, headers, text } = await request(by, `/authorize?${apply(valid, all)}`);
          const location = headers.get('location');
          if (location !== null) expectOwnRedirect(location);
          else if (status === 200) expectOwnForm(text);
          else expect([400, 403, 414, 431]).toContain(status);
          expect(text).not.toMatch(/node_modules|at async|select .* from/);
        }),
        runs,
      );
    },
    timeoutMs,
  );

  test(
    'tokens: an error of RFC 6749, or tokens for what was granted, never a 500',
    async () => {
      await fc.assert(
        fc.asyncProperty(several, fc.boolean(), fc.boolean(), async (all, isRefresh, isBasic) => {
          const { pairs, headers } = await validTokenRequest(isRefresh, isBasic);
          const response = await fetch(`${service.url}/oauth/token`, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
            body: apply(pairs, all),
          });
          const body = (await response.json()) as Record<string, unknown>;
          expect(response.headers.get('location')).toBeNull();
          if (response.status !== 200) expectOauthError(response.status, body);
          else expect(new Set(String(body['scope']).split(' '))).toContain('openid');
        }),
        runs,
      );
    },
    timeoutMs,
  );
});

async function request(by: TestBrowser, url: string) {
  const response = await by.request(url);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** A code or refresh token that works, as the application sends it; only what is wrong with it differs. */
async function validTokenRequest(isRefresh: boolean, isBasic: boolean) {
  const params = { scope: 'openid offline_access' };
  const { code, verifier } = await calls.obtainCode(params, { person, browser });
  const identity: Pair[] = isBasic
    ? []
    : [
        ['client_id', app.clientId],
        ['client_secret', app.clientSecret],
      ];
  const headers = isBasic ? calls.credentials() : {};
  if (!isRefresh) {
    const pairs: Pair[] = [
      ['grant_type', 'authorization_code'],
      ['code', code],
      ['redirect_uri', redirectUri],
      ['code_verifier', verifier],
    ];
    return { headers, pairs: [...pairs, ...identity] };
  }
  const { body } = await calls.redeem(code, verifier);
  const pairs: Pair[] = [
    ['grant_type', 'refresh_token'],
    ['refresh_token', body.refresh_token],
    ['scope', 'openid'],
  ];
  return { headers, pairs: [...pairs, ...identity] };
}
