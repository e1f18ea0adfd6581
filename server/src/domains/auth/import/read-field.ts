/** The fields of a record by name; case and separators do not count: `email_verified` is `emailVerified`. */
export type Fields = Map<string, unknown>;

/** Makes the fields of a record findable under any spelling of their names. */
export function readFields(record: Record<string, unknown>): Fields {
  const entries = Object.entries(record).map(([name, value]): [string, unknown] => [plain(name), value]);
  return new Map(entries.filter(([, value]) => value !== null && value !== undefined && value !== ''));
}

/** The first of these fields that is there. */
export function readField(fields: Fields, ...names: string[]): unknown {
  for (const name of names) {
    const value = fields.get(plain(name));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A text without what cannot be stored; undefined for anything else. */
export function readText(value: unknown): string | undefined {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || text.includes('\0') || !text.isWellFormed()) return undefined;
  return text.trim() || undefined;
}

/** A truth as JSON, databases and spreadsheets write it; undefined for anything else. */
export function readTruth(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = String(value).trim().toLowerCase();
  if (['true', 't', 'yes', 'y', '1'].includes(text)) return true;
  return ['false', 'f', 'no', 'n', '0'].includes(text) ? false : undefined;
}

/** A time in ISO 8601, as PostgreSQL writes it, or in seconds or milliseconds since 1970. */
export function readTime(value: unknown): Date | undefined {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^\d{9,14}$/.test(value));
  if (isNumber) return dateOf(Number(value) < 1e11 ? Number(value) * 1000 : Number(value));
  if (typeof value !== 'string') return undefined;
  const match =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(
      value.trim(),
    );
  if (!match) return undefined;
  const [, day, time = '00:00', zone = 'Z'] = match;
  return dateOf(`${day}T${time.replace(/(\.\d{3})\d+$/, '$1')}${zone.length === 3 ? `${zone}:00` : zone}`);
}

function dateOf(value: string | number): Date | undefined {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function plain(name: string): string {
  return name.replaceAll(/[\s_\-.]/g, '').toLowerCase();
}
