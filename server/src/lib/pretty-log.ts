type Line = Record<string, unknown> & { level: string; time: string; msg?: string };

const colours: Record<string, string> = {
  trace: '\u001b[90m',
  debug: '\u001b[90m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
  fatal: '\u001b[31m',
};
const reset = '\u001b[0m';
const shownElsewhere = new Set(['level', 'time', 'msg', 'err']);

/** One log line for people: time, level, message, the other fields, and below it the stack of an error. */
export function prettyLine(json: string, withColours: boolean): string {
  const line = parse(json);
  if (!line) return json;
  const level = line.level.padEnd(5);
  const fields = Object.entries(line)
    .filter(([key, value]) => !shownElsewhere.has(key) && value !== undefined)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const head = [
    line.time.slice(11, 19),
    withColours ? `${colours[line.level] ?? ''}${level}${reset}` : level,
    line.msg ?? '',
    ...fields,
  ].join(' ');
  return `${head}\n${errorLines(line.err)}`;
}

function parse(json: string): Line | undefined {
  try {
    return JSON.parse(json) as Line;
  } catch {
    return undefined;
  }
}

function errorLines(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message, cause } = error as { stack?: string; message?: string; cause?: unknown };
  const text = (stack ?? message ?? '').replaceAll('\n', '\n  ');
  return text === '' ? '' : `  ${text}\n${errorLines(cause)}`;
}
