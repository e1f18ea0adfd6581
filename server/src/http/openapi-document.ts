import { STATUS_CODES } from 'node:http';
import type { OpenAPIV3_1 } from 'openapi-types';
import { AppError, errorTable, isErrorCode, type ErrorCode } from '../errors.ts';
import { exampleOf, NoExampleError } from '../lib/example.ts';
import { problemDocument } from './problem.ts';

type Document = OpenAPIV3_1.Document;
type Operation = OpenAPIV3_1.OperationObject & { 'x-refusals'?: ErrorCode[] };
type Response = OpenAPIV3_1.ResponseObject;
type Media = OpenAPIV3_1.MediaTypeObject;

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
const exampleRequestId = '7d3c1a52-4a0e-4a6b-9d0a-3f5d2c8b1e64';

/** Adds to each operation an id, examples, and the problem documents it may answer with. */
export function completeDocument(document: Document, baseUrl: string): Document {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: problemSchema },
    headers: headerComponents,
  };
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of methods) {
      const operation = item?.[method] as Operation | undefined;
      if (operation) completeOperation(operation, method, path, baseUrl);
    }
  }
  return document;
}

function completeOperation(operation: Operation, method: string, path: string, baseUrl: string): void {
  operation.operationId ??= operationIdOf(method, path);
  const refusals = operation['x-refusals'] ?? [];
  delete operation['x-refusals'];
  const responses = (operation.responses ??= {}) as Record<string, Response>;
  const isLimited = refusals.includes('request.rate_limited');
  for (const [status, response] of Object.entries(responses)) {
    if (response.description === 'Default Response') response.description = STATUS_CODES[status] ?? status;
    response.headers = {
      ...response.headers,
      ...headerReferences(isLimited ? limitHeaders : ['X-Request-Id']),
    };
    for (const media of Object.values(response.content ?? {})) addExample(media);
  }
  for (const parameter of operation.parameters ?? []) {
    // The routes see it always, because its default is filled in; the caller may leave it out.
    if ('schema' in parameter && hasDefault(parameter.schema)) parameter.required = false;
  }
  const { requestBody } = operation;
  if (requestBody && 'content' in requestBody) Object.values(requestBody.content).forEach(addExample);
  for (const [status, codes] of byStatus(refusals)) {
    responses[status] ??= problemResponse(codes, path, baseUrl);
  }
}

function hasDefault(schema: object | undefined): boolean {
  return schema !== undefined && 'default' in schema;
}

/** An example made from those of the fields, unless the route brings its own. */
function addExample(media: Media): void {
  if (media.example !== undefined || media.examples !== undefined || !media.schema) return;
  try {
    media.example = exampleOf(media.schema as Parameters<typeof exampleOf>[0]);
  } catch (error) {
    // A field without an example leaves the whole without one; the test of the document names it.
    if (!(error instanceof NoExampleError)) throw error;
  }
}

function byStatus(codes: ErrorCode[]): Map<string, ErrorCode[]> {
  const grouped = new Map<string, ErrorCode[]>();
  for (const code of new Set(codes.filter(isErrorCode))) {
    const status = String(errorTable[code].status);
    grouped.set(status, [...(grouped.get(status) ?? []), code]);
  }
  return grouped;
}

function problemResponse(codes: ErrorCode[], path: string, baseUrl: string): Response {
  const examples = codes.map((code) => {
    const request = { baseUrl, requestId: exampleRequestId, instance: path };
    return [code, { summary: errorTable[code].title, value: problemDocument(new AppError(code), request) }];
  });
  const isLimit = codes.includes('request.rate_limited');
  return {
    description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}.`).join(' '),
    headers: headerReferences(isLimit ? [...limitHeaders, 'Retry-After'] : ['X-Request-Id']),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(examples) as NonNullable<Media['examples']>,
      },
    },
  };
}

/** `post /api/v1/auth/sessions/{id}` becomes `postAuthSessionsById`. */
function operationIdOf(method: string, path: string): string {
  const words = path
    .replace(/^\/api\/v1/, '')
    .replace(/\{(\w+)\}/g, 'by-$1')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

const limitHeaders = ['X-Request-Id', 'RateLimit', 'RateLimit-Policy'];

function headerReferences(names: string[]): Record<string, OpenAPIV3_1.ReferenceObject> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

const text = (description: string, example: string): OpenAPIV3_1.HeaderObject => ({
  description,
  schema: { type: 'string' },
  example,
});

const headerComponents: Record<string, OpenAPIV3_1.HeaderObject> = {
  'X-Request-Id': text('The id of this request in the log.', exampleRequestId),
  RateLimit: text('What is left (`r`) and for how many seconds (`t`), per limit.', '"general";r=99;t=60'),
  'RateLimit-Policy': text('How many requests (`q`) in how many seconds (`w`).', '"general";q=100;w=60'),
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' }, example: 42 },
};

const problemSchema: OpenAPIV3_1.SchemaObject = {
  type: 'object',
  description: 'Why a request was refused (RFC 9457). Some codes bring further members.',
  required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'A page that explains the code.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string', description: 'The path that was asked.' },
    code: { type: 'string', enum: Object.keys(errorTable), description: 'Stable; act on this.' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      description: 'What is wrong with which field.',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: {
          path: { type: 'string', description: 'JSON pointer into the request.' },
          message: { type: 'string' },
        },
      },
    },
  },
};
