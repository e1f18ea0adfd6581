type Schema = {
  [key: string]: unknown;
  type?: string | string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  examples?: unknown[];
};

const formatExamples: Record<string, string> = {
  uuid: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11',
  'date-time': '2026-03-01T12:00:00.000Z',
  date: '2026-03-01',
  email: 'test@example.com',
  uri: 'https://example.com',
};

/** Thrown when a schema says too little to show a value; the message is the path to it. */
export class NoExampleError extends Error {
  override name = 'NoExampleError';
}

/**
 * A value that fits a JSON schema, from its examples, constants, defaults and formats. Throws NoExampleError.
 */
export function exampleOf(schema: Schema, path = ''): unknown {
  if (schema.examples?.length) return schema.examples[0];
  for (const keyword of ['example', 'const', 'default']) {
    if (Object.hasOwn(schema, keyword)) return schema[keyword];
  }
  if (schema.enum?.length) return schema.enum[0];
  const choice = (schema.anyOf ?? schema.oneOf)?.find((option) => option.type !== 'null');
  if (choice) return exampleOf(choice, path);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => exampleOf(part, path)));
  return exampleOfType(schema, path);
}

function exampleOfType(schema: Schema, path: string): unknown {
  const type = [schema.type ?? 'unknown'].flat()[0] ?? 'unknown';
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, part]) => [
          key,
          exampleOf(part, `${path}/${key}`),
        ]),
      );
    case 'array':
      return schema.items ? [exampleOf(schema.items, `${path}/0`)] : [];
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'string':
      if (typeof schema.format === 'string' && formatExamples[schema.format])
        return formatExamples[schema.format];
      break;
    default:
      break;
  }
  throw new NoExampleError(path || '/');
}
