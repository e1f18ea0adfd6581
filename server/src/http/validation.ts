import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifyInstance, FastifyRequest, FastifySchemaCompiler } from 'fastify';
import { AppError } from '../errors.ts';

const options = { allErrors: false, useDefaults: true, removeAdditional: false, strict: false } as const;
/**
 * A body must have the right types; a query string has only texts, so its numbers and booleans are read from
 * them.
 */
const bodyValidator = new Ajv({ ...options, coerceTypes: false });
const textValidator = new Ajv({ ...options, coerceTypes: 'array' });
for (const validator of [bodyValidator, textValidator]) {
  (addFormats as unknown as (ajv: Ajv) => void)(validator);
}

const compile: FastifySchemaCompiler<object> = ({ schema, httpPart }): ValidateFunction =>
  (httpPart === 'body' ? bodyValidator : textValidator).compile(schema);

/** Deeper values are refused: nobody means them, and writing them out again would exhaust the stack. */
const depthMax = 32;

/** Installs validation: strict bodies, read query strings, and nothing that PostgreSQL could not store. */
export function installValidation(app: FastifyInstance): void {
  app.setValidatorCompiler(compile);
  app.addHook('preValidation', async (request: FastifyRequest) => {
    for (const part of ['body', 'query', 'params'] as const) assertStorable(request[part], `/${part}`);
  });
}

type Item = { value: unknown; path: string; depth: number };

/**
 * Throws `request.invalid_text` for a null byte or an unpaired surrogate, `request.invalid` for too much
 * nesting.
 */
function assertStorable(root: unknown, rootPath: string): void {
  const stack: Item[] = [{ value: root, path: rootPath, depth: 0 }];
  for (let item = stack.pop(); item; item = stack.pop()) {
    const { value, path, depth } = item;
    if (typeof value === 'string') assertText(value, path);
    if (typeof value !== 'object' || value === null) continue;
    if (depth === depthMax) {
      const message = `must not be nested more than ${depthMax} levels deep`;
      throw new AppError('request.invalid', { errors: [{ path, message }] });
    }
    for (const [key, inner] of Object.entries(value)) {
      assertText(key, path);
      stack.push({ value: inner, path: `${path}/${key}`, depth: depth + 1 });
    }
  }
}

function assertText(text: string, path: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return;
  const message = 'must not hold a null byte or an unpaired surrogate';
  throw new AppError('request.invalid_text', { errors: [{ path, message }] });
}
