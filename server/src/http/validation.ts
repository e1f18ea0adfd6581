import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifyInstance, FastifyRequest, FastifySchemaCompiler } from 'fastify';
import { AppError } from '../errors.ts';

const options = { allErrors: false, useDefaults: true, removeAdditional: false, strict: false } as const;
/** A body must have the right types; a query string has only texts, so its numbers and booleans are read from them. */
const bodyValidator = new Ajv({ ...options, coerceTypes: false });
const textValidator = new Ajv({ ...options, coerceTypes: 'array' });
for (const validator of [bodyValidator, textValidator]) {
  (addFormats as unknown as (ajv: Ajv) => void)(validator);
}

const compile: FastifySchemaCompiler<object> = ({ schema, httpPart }): ValidateFunction =>
  (httpPart === 'body' ? bodyValidator : textValidator).compile(schema);

/** Installs validation: strict bodies, read query strings, and no text that PostgreSQL could not store. */
export function installValidation(app: FastifyInstance): void {
  app.setValidatorCompiler(compile);
  app.addHook('preValidation', async (request: FastifyRequest) => {
    for (const part of ['body', 'query', 'params'] as const) {
      const path = findUnstorableText(request[part], `/${part}`);
      if (path)
        throw new AppError('request.invalid_text', {
          errors: [{ path, message: 'holds a null byte or an unpaired surrogate' }],
        });
    }
  });
}

/** The path of the first text with a null byte or an unpaired surrogate, if any. Depth is bounded by the body limit. */
function findUnstorableText(root: unknown, rootPath: string): string | undefined {
  const stack: { value: unknown; path: string }[] = [{ value: root, path: rootPath }];
  for (let item = stack.pop(); item; item = stack.pop()) {
    if (typeof item.value === 'string') {
      if (item.value.includes('\0') || !item.value.isWellFormed()) return item.path;
    } else if (typeof item.value === 'object' && item.value !== null) {
      for (const [key, value] of Object.entries(item.value)) {
        if (key.includes('\0') || !key.isWellFormed()) return item.path;
        stack.push({ value, path: `${item.path}/${key}` });
      }
    }
  }
  return undefined;
}
