import { request as httpRequest, Agent } from 'node:http';
import fc from 'fast-check';
import type { OpenAPIV3_1 } from 'openapi-types';
import { afterAll, expect, test } from 'vitest';
import { isErrorCode, errorTable } from '../src/errors.ts';
import { exampleOf } from '../src/lib/example.ts';
import { startTestService } from './harness/index.ts';
import { addAdministrator } from './harness/movements.ts';
import { registerPerson, signIn } from './harness/people.ts';

/**
 * Every route of the API document, driven from its own schemas with what no client should send. A route added
 * later is fuzzed without a change here. FUZZ_SEED and FUZZ_RUNS look further than the run of every day.
 */
const seed = Number(process.env.FUZZ_SEED ?? 20_260_301);
const runsPerRoute = Number(process.env.FUZZ_RUNS ?? 60);
const answerTimeoutMs = 10_000;

const service = await startTestService();
const { body: document } = (await service.send('GET', '/openapi.json')) as { body: OpenAPIV3_1.Document };
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
afterAll(() => agent.destroy());

type Schema = Parameters<typeof exampleOf>[0];
type Parameter = {
  name: string;
  in: 'path' | 'query' | 'header';
  schema: Schema;
  example?: string | number | boolean;
};
type Route = {
  name: string;
  method: string;
  path: string;
  parameters: Parameter[];
  body: Schema | undefined;
};
type Call = { path: string; body: string | undefined; contentType: string; token: string };

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
const routes = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  methods.flatMap((method) => {
    const operation = item?.[method];
    if (!operation) return [];
    const content = (operation.requestBody as OpenAPIV3_1.RequestBodyObject | undefined)?.content;
    const parameters = (operation.parameters ?? []) as Parameter[];
    const body = content?.['application/json']?.schema as Schema | undefined;
    return [{ name: `${method} ${path}`, method: method.toUpperCase(), path, parameters, body }];
  }),
);

/** JSON that `JSON.stringify` would not write: too deep, or with a poisoned key. */
class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const oddText = fc.constantFrom(
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  'a\udc00b',
  '\u202e\u200b\ufeff',
  '👩‍👩‍👧‍👦'.repeat(50),
  'İ'.repeat(300),
  '__proto__',
  'constructor',
  'null',
  'NaN',
  '-1',
  '1e400',
  '9223372036854775808',
  '2026-02-30T25:61:61Z',
  '+275760-09-13T00:00:00.001Z',
  '0000-00-00',
  "'; drop table auth.users; --",
  '%00%c0%ae',
  '../../../etc/passwd',
  '${7*7}{{7*7}}',
  'a@b@c',
  'x'.repeat(10_000),
  'x'.repeat(1_000_000),
);
const oddNumber = fc.constantFrom(
  0,
  -0,
  -1,
  0.1,
  1e-7,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  1e21,
  -1e21,
  1e308,
  Number.MIN_VALUE,
);
const nested = (depth: number) => `${'{"a":['.repeat(depth)}1${']}'.repeat(depth)}`;
const deep = fc.constantFrom(5, 31, 33, 20_000).map((depth) => new RawJson(nested(depth)));
const oddValue = fc.oneof(
  { weight: 4, arbitrary: oddText },
  { weight: 2, arbitrary: oddNumber },
  { weight: 2, arbitrary: fc.constantFrom(null, true, false, [], {}, [[]], [null]) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: fc.constant(new RawJson('{"__proto__":{"isAdmin":true}}')) },
  { weight: 1, arbitrary: fc.constant(new RawJson('{"constructor":{"prototype":{"a":1}}}')) },
);

/** Writes JSON, with raw parts as they are. */
function write(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${write(item)}`);
  return `{${members.join(',')}}`;
}

/**
 * Bodies near the valid one: a field replaced, left out or added, a number as a text; or no such thing at
 * all.
 */
function bodiesOf(schema: Schema): fc.Arbitrary<string> {
  const valid = exampleOf(schema);
  const keys = Object.keys(schema.properties ?? {});
  const fields = typeof valid === 'object' && valid !== null ? (valid as Record<string, unknown>) : {};
  const key = keys.length > 0 ? fc.constantFrom(...keys) : fc.constant('field');
  const replaced = fc
    .dictionary(key, oddValue, { minKeys: 1, maxKeys: 2 })
    .map((odd) => ({ ...fields, ...odd }));
  const withoutOne = key.map((absent) => ({ ...fields, [absent]: undefined }));
  const asText = key.map((one) => ({ ...fields, [one]: String(fields[one]) }));
  const added = fc.dictionary(fc.string({ unit: 'binary' }), oddValue, { maxKeys: 3 });
  return fc.oneof(
    { weight: 8, arbitrary: replaced.map(write) },
    { weight: 2, arbitrary: withoutOne.map((body) => JSON.stringify(body)) },
    { weight: 2, arbitrary: asText.map((body) => JSON.stringify(body)) },
    { weight: 2, arbitrary: added.map((odd) => write({ ...fields, ...odd })) },
    { weight: 2, arbitrary: oddValue.map(write) },
    { weight: 1, arbitrary: fc.constantFrom('', '{', '[', '{"a":}', 'nonsense', '\u0000', '{}'.repeat(3)) },
    { weight: 1, arbitrary: fc.constant(JSON.stringify(valid)) },
  );
}

/** A value of an address: odd, or the example of its parameter. */
function addressValue({ schema, example }: Parameter): fc.Arbitrary<string> {
  const odd = oddText.map((text) => text.slice(0, 3000));
  const valid = example === undefined ? exampleOrText(schema) : String(example);
  return fc.oneof(
    { weight: 16, arbitrary: fc.constant(valid) },
    { weight: 2, arbitrary: odd },
    { weight: 1, arbitrary: oddNumber.map(String) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  );
}

function exampleOrText(schema: Schema): string {
  try {
    return String(exampleOf(schema));
  } catch {
    return 'text';
  }
}

const encode = (text: string) => encodeURIComponent(text.toWellFormed()) || '%20';

function callsOf(route: Route, tokens: string[]): fc.Arbitrary<Call> {
  const inPath = route.parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = route.parameters.filter((parameter) => parameter.in === 'query');
  const path = fc
    .tuple(...inPath.map(addressValue))
    .map((values) =>
      inPath.reduce(
        (text, { name }, index) => text.replace(`{${name}}`, encode(values[index] ?? '')),
        route.path,
      ),
    );
  const query = fc
    .tuple(...inQuery.map((parameter) => fc.option(addressValue(parameter), { freq: 2 })))
    .map((values) =>
      inQuery.flatMap(({ name }, index) => {
        const value = values[index];
        return value === null || value === undefined ? [] : [`${name}=${encode(value)}`];
      }),
    )
    .chain((pairs) =>
      fc.constantFrom(pairs, [...pairs, ...pairs], [...pairs, 'x=1', '__proto__=1', 'a[b]=c']),
    )
    .map((pairs) => (pairs.length > 0 ? `?${pairs.join('&')}` : ''));
  return fc.record({
    path: fc.tuple(path, query).map(([one, two]) => one + two),
    body: route.body
      ? bodiesOf(route.body)
      : fc.constantFrom(undefined, undefined, '', '{}', '[', nested(40)),
    contentType: fc.oneof(
      { weight: 12, arbitrary: fc.constant('application/json') },
      { weight: 1, arbitrary: fc.constantFrom('', 'text/plain', 'application/json; charset=utf-16', ';;') },
    ),
    token: fc.constantFrom(...tokens),
  });
}

type Answer = { status: number; contentType: string; body: string };

/** One call as it is written, without a client that would repair it; rejects when no answer comes. */
function send(method: string, { path, body, contentType, token }: Call): Promise<Answer> {
  const headers = {
    ...(body === undefined || contentType === '' ? {} : { 'content-type': contentType }),
    ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${service.url}${path.slice(0, 12_000)}`,
      { method, headers, agent, timeout: answerTimeoutMs },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            contentType: response.headers['content-type'] ?? '',
            body: text,
          }),
        );
        response.on('error', reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer within ${answerTimeoutMs} ms`)));
    // A body that is too large is answered before it has been sent, and the connection closed.
    request.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET'
        ? resolve({ status: 413, contentType: '', body: '' })
        : reject(error),
    );
    request.end(body);
  });
}

function assertSane({ status, contentType, body }: Answer): void {
  expect(status, body).toBeLessThan(500);
  if (status < 400 || body === '') return;
  expect(contentType).toBe('application/problem+json; charset=utf-8');
  const problem = JSON.parse(body) as { code: string; status: number; requestId: string };
  expect(isErrorCode(problem.code), problem.code).toBe(true);
  expect(problem.status).toBe(status);
  expect(errorTable[problem.code as keyof typeof errorTable].status).toBe(status);
  expect(problem.requestId).toBeTruthy();
}

test('the document names routes to fuzz', () => expect(routes.length).toBeGreaterThan(20));

test.each(routes)('$name answers anything with sense', { timeout: 60_000 }, async (route) => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const { token } = await addAdministrator(service);
  const tokens = [accessToken, token, '', 'nonsense', 'a.b.c', `${accessToken.slice(0, -4)}AAAA`];
  await fc.assert(
    fc.asyncProperty(callsOf(route, tokens), async (call) => assertSane(await send(route.method, call))),
    { seed, numRuns: runsPerRoute, endOnFailure: true },
  );
});

test('the service is as well as before', async () => {
  expect((await service.send('GET', '/health/ready')).status).toBe(200);
  const { accessToken } = await signIn(service, await registerPerson(service));
  expect((await service.send('GET', '/api/v1/users/me', { token: accessToken })).status).toBe(200);
});
