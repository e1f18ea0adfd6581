/** Stands in a log in place of a secret. */
const redacted = '[redacted]';
const depthMax = 8;

const secretKey =
  /(?:^|[-_.])(?:code|key|pass)$|(?:password|passwd|secret|token|cookie|authorization|apikey|privatekey|verifier)$/i;

/** Names that end like a secret but hold none. */
const harmlessKeys = new Set(['idempotencyKey', 'idempotency-key']);

/**
 * A copy of what is to be logged in which the values of secret fields, at any depth, are replaced. Errors are
 * written out with `cause`, but without the parameters and row values that database errors carry.
 */
export function redact(value: Record<string, unknown>): Record<string, unknown> {
  return redactObject(value, 0);
}

function redactValue(value: unknown, depth: number): unknown {
  if (value instanceof Error) return describeError(value, depth);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth >= depthMax) return '[deeper]';
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  if (isPlain(value)) return redactObject(value, depth + 1);
  return `[${value.constructor.name}]`;
}

function redactObject(value: Record<string, unknown>, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isSecret(key) ? redacted : redactValue(item, depth)]),
  );
}

function isSecret(key: string): boolean {
  return secretKey.test(key) && !harmlessKeys.has(key);
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** What an error may tell the log: a query that failed names its statement, never its parameters. */
function describeError(error: Error, depth: number): Record<string, unknown> {
  const { code, constraint } = error as Error & { code?: unknown; constraint?: unknown };
  return {
    type: error.name,
    message: withoutParameters(error.message),
    ...(error.stack ? { stack: withoutParameters(error.stack) } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof constraint === 'string' ? { constraint } : {}),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }),
  };
}

function withoutParameters(text: string): string {
  return text.replace(/\nparams: [\s\S]*?(?=\n {4}at |$)/, '\nparams: [redacted]');
}

const secretShapes: [RegExp, string][] = [
  [/\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*/g, redacted],
  [/\b(Bearer|Basic) +[\w\-.~+/]+=*/gi, `$1 ${redacted}`],
  [/\bobol_[a-z]+_[\w-]{8,}/g, redacted],
  [/([?&](?:\w*token|code|state|key|secret)=)[^&"\s\\]+/gi, `$1${redacted}`],
  [/(\w:\/\/[^:/@\s"\\]*:)[^@\s"\\]+@/g, `$1${redacted}@`],
  // Addresses of people, which mail servers repeat in their answers.
  [/[^\s"'<>()[\]{},;:\\/@=]{1,64}@(?:[\p{L}\p{N}-]+\.)+\p{L}{2,63}\b/gu, '[address]'],
];

/**
 * Replaces what looks like a token, wherever it stands in a line: in messages and in texts from elsewhere.
 */
export function maskTokens(line: string): string {
  return secretShapes.reduce((text, [shape, replacement]) => text.replace(shape, replacement), line);
}
