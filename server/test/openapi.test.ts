import { createHash } from 'node:crypto';
import SwaggerParser from '@apidevtools/swagger-parser';
import type { OpenAPIV3_1 } from 'openapi-types';
import { expect, test } from 'vitest';
import { errorTable } from '../src/errors.ts';
import { exampleOf } from '../src/lib/example.ts';
import { startTestService } from './harness/index.ts';

type Operation = OpenAPIV3_1.OperationObject;
type Media = OpenAPIV3_1.MediaTypeObject;

const service = await startTestService({ env: { BASE_URL: 'https://id.example.com' } });
const { body: document } = (await service.send('GET', '/openapi.json')) as { body: OpenAPIV3_1.Document };
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  (['get', 'post', 'put', 'patch', 'delete'] as const).flatMap((method) => {
    const operation = item?.[method] as Operation | undefined;
    return operation ? [{ name: `${method} ${path}`, operation }] : [];
  }),
);

/** Fails with the path of the first field that has no example. */
function assertShown(content: Record<string, Media> = {}): void {
  for (const media of Object.values(content)) {
    if (media.examples !== undefined || media.example !== undefined) continue;
    expect(() => exampleOf(media.schema as Parameters<typeof exampleOf>[0])).not.toThrow();
    expect(media).toHaveProperty('example');
  }
}

test('the document is valid OpenAPI 3.1', async () => {
  expect(document.openapi).toBe('3.1.0');
  expect(document.servers).toEqual([{ url: 'https://id.example.com' }]);
  await SwaggerParser.validate(structuredClone(document) as never);
});

test('it holds every route but pages', () => {
  const names = operations.map(({ name }) => name);
  expect(names).toContain('post /api/v1/auth/login');
  expect(names).toContain('get /api/v1/users/me');
  expect(names).toContain('get /health/ready');
  expect(names.length).toBe(new Set(operations.map(({ operation }) => operation.operationId)).size);
});

test.each(operations)('$name says what it does, with examples', ({ operation }) => {
  const tags = (document.tags ?? []).map((tag) => tag.name);
  expect(operation.summary).toBeTruthy();
  expect(operation.tags).toHaveLength(1);
  expect(tags).toContain(operation.tags?.[0]);
  const { requestBody, responses = {} } = operation;
  if (requestBody && 'content' in requestBody) assertShown(requestBody.content);
  const successes = Object.entries(responses).filter(([status]) => /^[23]/.test(status));
  expect(successes).not.toEqual([]);
  for (const [status, response] of successes as [string, OpenAPIV3_1.ResponseObject][]) {
    if (status === '204' || status.startsWith('3')) continue;
    expect(response.content, `the schema of ${status}`).toBeDefined();
    assertShown(response.content);
  }
});

test.each(operations)('$name names the problem documents it may answer with', ({ operation }) => {
  const responses = operation.responses as Record<string, OpenAPIV3_1.ResponseObject>;
  const failures = Object.entries(responses).filter(([status]) => /^[45]/.test(status));
  expect(failures.map(([status]) => status)).toContain('500');
  if (operation.requestBody) expect(responses).toHaveProperty('400');
  if (operation.security?.some((scheme) => 'bearer' in scheme)) expect(responses).toHaveProperty('401');
  for (const [status, response] of failures) {
    const media = response.content?.['application/problem+json'];
    expect(media?.schema).toEqual({ $ref: '#/components/schemas/Problem' });
    for (const [code, example] of Object.entries(media?.examples ?? {})) {
      expect(errorTable).toHaveProperty([code, 'status'], Number(status));
      expect(example).toMatchObject({ value: { code, status: Number(status) } });
    }
  }
});

test('what has a default may be left out', () => {
  const parameters = operations
    .flatMap(({ operation }) => (operation.parameters ?? []) as OpenAPIV3_1.ParameterObject[])
    .filter(({ schema }) => schema && 'default' in schema);
  expect(parameters.length).toBeGreaterThan(0);
  expect(parameters.filter(({ required }) => required)).toEqual([]);
});

test('the bare address leads to the reference', async () => {
  const answer = await fetch(service.url, { redirect: 'manual' });
  expect(answer.status).toBe(302);
  expect(answer.headers.get('location')).toBe('/docs');
});

test('the reference loads everything from the service itself', async () => {
  const page = await service.send('GET', '/docs');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*connect-src 'self'/);
  const addresses = [...(page.body as string).matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1]);
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) {
    expect(address).toMatch(/^\//);
    const answer = await service.send('GET', address ?? '');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/javascript');
  }
});

test('the type of a problem document leads to a page that explains its code', async () => {
  const { body } = await service.send('GET', '/api/v1/nothing');
  const type = new URL(body.type as string);
  expect(type.origin).toBe('https://id.example.com');
  const page = await service.send('GET', type.pathname);
  expect(page.status).toBe(200);
  for (const code of Object.keys(errorTable)) expect(page.body).toContain(`id="${code}"`);
  expect(page.body).toContain(errorTable['request.not_found'].title);
  const style = /<style>([\s\S]*?)<\/style>/.exec(page.body as string)?.[1] ?? '';
  const styleHash = createHash('sha256').update(style).digest('base64');
  expect(page.headers.get('content-security-policy')).toContain(`style-src 'sha256-${styleHash}'`);
});
