import { Ajv, type ErrorObject, type SchemaValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { FastifyInstance, FastifyRequest, FastifySchemaCompiler } from 'fastify';
import { AppError } from '../errors.ts';
import { linePattern } from '../lib/line.ts';
import { csrfFieldName } from './csrf.ts';

/** The keyword of ids, which are read in lower case. */
const lowering = 'lowerCase';
const options = {
  allErrors: false,
  useDefaults: true,
  removeAdditional: true,
  strict: false,
  verbose: true,
} as const;
/**
 * A body must have the right types; a query string has only texts, so its numbers and booleans are read from
 * them.
 */
const bodyValidator = new Ajv({ ...options, coerceTypes: false });
const textValidator = new Ajv({ ...options, coerceTypes: 'array' });
/** The form that PostgreSQL reads; the library would let `urn:uuid:` through. @see RFC 9562 §4 */
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/**
 * Reads an id in lower case, as PostgreSQL writes it and everything compares it: however it is spelled, it is
 * the same.
 */
const toLower: SchemaValidateFunction = (_schema, id: string, _parent, place) => {
  if (place) place.parentData[place.parentDataProperty] = id.toLowerCase();
  return true;
};
for (const validator of [bodyValidator, textValidator]) {
  (addFormats as unknown as (ajv: Ajv) => void)(validator);
  validator.addFormat('uuid', uuidPattern);
  validator.addKeyword({ keyword: lowering, type: 'string', modifying: true, validate: toLower });
}

type JsonSchema = {
  format?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  additionalProperties?: unknown;
};

/**
 * What a body or a query string holds beside the members of its schema, at whatever depth, is left out: a use
 * case may take it for a member of its own that nobody has checked. The token of a form is looked at later. A
 * schema that says `additionalProperties` keeps its word.
 */
function withoutOthers(schema: JsonSchema): JsonSchema {
  const { properties } = schema;
  return closed(properties ? { ...schema, properties: { [csrfFieldName]: {}, ...properties } } : schema);
}

/** The schema with every object in it closed, except where several forms are objects: see `hasOneObject`. */
function closed(schema: JsonSchema): JsonSchema {
  const { properties, items, anyOf } = schema;
  return {
    ...(properties ? { additionalProperties: false } : {}),
    ...schema,
    ...(properties ? { properties: mapValues(properties, closed) } : {}),
    ...(items ? { items: closed(items) } : {}),
    ...(anyOf && hasOneObject(anyOf) ? { anyOf: anyOf.map(closed) } : {}),
  };
}

/** Ajv takes members away while it tries a form: where two are objects, the first would empty the second. */
function hasOneObject(forms: JsonSchema[]): boolean {
  return forms.filter(({ properties }) => properties).length <= 1;
}

function mapValues<From, To>(record: Record<string, From>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

/** The schema with every id in it read in lower case. */
function withLowerIds(schema: JsonSchema): JsonSchema {
  const { format, properties, items, anyOf } = schema;
  return {
    ...schema,
    ...(format === 'uuid' ? { [lowering]: true } : {}),
    ...(properties ? { properties: mapValues(properties, withLowerIds) } : {}),
    ...(items ? { items: withLowerIds(items) } : {}),
    ...(anyOf ? { anyOf: anyOf.map(withLowerIds) } : {}),
  };
}

const compile: FastifySchemaCompiler<object> = ({ schema: given, httpPart }) => {
  const schema = withLowerIds(given);
  const isValid =
    httpPart === 'body'
      ? bodyValidator.compile(withoutOthers(schema))
      : textValidator.compile(httpPart === 'querystring' ? withoutOthers(schema) : schema);
  const validate = (data: unknown): boolean => {
    if (isValid(data)) return true;
    validate.errors = explain(isValid.errors ?? []);
    return false;
  };
  validate.errors = [] as Explained[];
  return validate;
};

type Explained = Pick<ErrorObject, 'keyword' | 'instancePath' | 'schemaPath' | 'params' | 'message'>;

/**
 * Failures in words for whoever wrote the request. What it held is left out: it may be a password, and
 * failures are logged. Of a field that may be null, only what its other form lacks is said.
 */
function explain(errors: ErrorObject[]): Explained[] {
  const telling = errors.filter((error) => !isNoise(error));
  return (telling.length > 0 ? telling : errors).map((error) => {
    const { keyword, instancePath, schemaPath, params } = error;
    return { keyword, instancePath, schemaPath, params, message: messageOf(error) };
  });
}

/** That a value is not null either, and hence none of the forms that are listed beside it. */
function isNoise({ keyword, params }: ErrorObject): boolean {
  return keyword === 'anyOf' || (keyword === 'type' && params.type === 'null');
}

function messageOf({ keyword, params, message, parentSchema }: ErrorObject): string {
  switch (keyword) {
    case 'required':
      return 'is missing';
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`;
    case 'pattern': {
      if (params.pattern === linePattern) return 'must not hold control characters';
      const [example] = parentSchema?.examples ?? [];
      return example === undefined ? 'does not have the right form' : `must look like ${example}`;
    }
    default:
      return message ?? 'is not valid';
  }
}

/** Deeper values are refused: nobody means them, and writing them out again would exhaust the stack. */
const depthMax = 32;

/** Installs validation: strict bodies, read query strings, and nothing that PostgreSQL could not store. */
export function installValidation(app: FastifyInstance): void {
  app.setValidatorCompiler(compile);
  app.addHook('preValidation', (request: FastifyRequest, _reply, done) => {
    for (const part of ['body', 'query', 'params'] as const) assertStorable(request[part], `/${part}`);
    done();
  });
}

type Item = { value: unknown; path: string; depth: number };

/**
 * Throws `request.invalid_text` for a null byte or an unpaired surrogate, `request.invalid` for too much
 * nesting. Bytes are none of its business: what is read from them is.
 */
export function assertStorable(root: unknown, rootPath: string): void {
  const stack: Item[] = [{ value: root, path: rootPath, depth: 0 }];
  for (let item = stack.pop(); item; item = stack.pop()) {
    const { value, path, depth } = item;
    if (typeof value === 'string') assertText(value, path);
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue;
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
