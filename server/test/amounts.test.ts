import type { OpenAPIV3_1 } from 'openapi-types';
import { describe, expect, test } from 'vitest';
import { exampleOf } from '../src/lib/example.ts';
import { startTestService } from './harness/index.ts';
import { addWalletHolder } from './harness/wallets.ts';

/**
 * Every amount of credits that a route of the API document takes, wherever it stands in the body. A route
 * added later is tried without a change here.
 */
const service = await startTestService();
const { body: document } = (await service.send('GET', '/openapi.json')) as { body: OpenAPIV3_1.Document };
const { token } = await addWalletHolder(service);

type Schema = Parameters<typeof exampleOf>[0] & { minimum?: number; maximum?: number };
type Amount = { name: string; method: string; path: string; body: Schema; place: string[]; schema: Schema };

const exactMax = 9_007_199_254_740_991;
/** What an amount is called; a property with another name counts as one by its maximum. */
const amountName =
  /^(amount|allowance|credits|maxPerSpend|overrunMax|budget|limit)(Credits)?$|AmountCredits$/i;

const amounts: Amount[] = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  (['post', 'put', 'patch'] as const).flatMap((method) => {
    const requestBody = item?.[method]?.requestBody as OpenAPIV3_1.RequestBodyObject | undefined;
    const body = requestBody?.content['application/json']?.schema as Schema | undefined;
    return [...amountsIn(body)].map(([place, schema]) => ({
      name: `${method} ${path} /${place.join('/')}`,
      method: method.toUpperCase(),
      path: path.replaceAll(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000'),
      body: body as Schema,
      place,
      schema,
    }));
  }),
);

/** Where amounts stand below a schema, through objects, arrays and alternatives. */
function* amountsIn(schema: Schema | undefined, place: string[] = []): Generator<[string[], Schema]> {
  if (!schema) return;
  const types = [schema.type].flat();
  const isNamed = amountName.test(place.at(-1) ?? '');
  if (types.includes('integer') || types.includes('number')) {
    if (isNamed || schema.maximum === exactMax) yield [place, schema];
  }
  for (const [key, part] of Object.entries(schema.properties ?? {})) yield* amountsIn(part, [...place, key]);
  if (schema.items) yield* amountsIn(schema.items, [...place, '0']);
  for (const part of [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])])
    yield* amountsIn(part, place);
}

/** The example of a body with `mark` at the place, as JSON. */
function bodyWith({ body, place }: Amount, text: string): string {
  const mark = 'the amount stands here';
  const whole = exampleOf(body) as Record<string, unknown>;
  let inner: any = whole;
  for (const key of place.slice(0, -1)) inner = inner[key] ??= {};
  inner[place.at(-1) ?? ''] = mark;
  return JSON.stringify(whole).replace(`"${mark}"`, text);
}

async function send(amount: Amount, text: string): Promise<{ status: number; body: any }> {
  const answer = await fetch(`${service.url}${amount.path}`, {
    method: amount.method,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: bodyWith(amount, text),
  });
  return { status: answer.status, body: await answer.json() };
}

test('the routes that take amounts are found', () => {
  const names = amounts.map(({ name }) => name);
  expect(names).toContain('post /api/v1/credits/use /amount');
  expect(names).toContain('post /api/v1/credits/holds /amount');
  expect(names).toContain('post /api/v1/credits/mandates /allowance');
  expect(names.length).toBeGreaterThan(8);
});

describe.each(amounts)('$name', (amount) => {
  const { minimum = Number.NEGATIVE_INFINITY } = amount.schema;
  const refused = ['1.5', '1e30', '1e400', '"5"', '"NaN"', '""', 'true', '[5]', '9007199254740992', '1e16'];
  const { not: excepted } = amount.schema as { not?: { enum: number[] } };
  const outside = ['0', '-1', '-9007199254740992'].filter(
    (text) => Number(text) < minimum || excepted?.enum.includes(Number(text)),
  );

  test('says that it is a whole number that stays exact', () => {
    expect(amount.schema).toMatchObject({ minimum: expect.any(Number), maximum: expect.any(Number) });
    expect([amount.schema.type].flat()).toContain('integer');
    expect(amount.schema.maximum).toBeLessThanOrEqual(exactMax);
    expect(amount.schema.minimum).toBeGreaterThanOrEqual(-exactMax);
    if (amount.place.at(-1) === 'amount') expect(outside).toContain('0');
  });

  test.each([...refused, ...outside])('refuses %s and names the field', async (text) => {
    const { status, body } = await send(amount, text);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'request.invalid' });
    expect(body.errors.map(({ path }: any) => path)).toContain(`/body/${amount.place.join('/')}`);
  });

  test.each(['NaN', 'Infinity', '05', '+5', '.5'])('refuses %s, which is not JSON', async (text) => {
    const { status, body } = await send(amount, text);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'request.invalid_json' });
  });
});
