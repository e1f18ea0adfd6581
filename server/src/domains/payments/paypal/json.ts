/** An object of PayPal's JSON, of which nothing is known yet. */
export type Json = Record<string, unknown>;

/** What PayPal said is not what its documentation promises; `message` names the member. */
export class JsonError extends Error {}

const textCharactersMax = 1000;

/** The value as an object. Throws JsonError for anything else. */
export function readObject(value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new JsonError(`${name} is no object`);
  return value as Json;
}

/** A member that is an object, or null when it is left out. Throws JsonError for anything else. */
export function readMember(of: Json, name: string): Json | null {
  const value = of[name];
  return value === undefined || value === null ? null : readObject(value, name);
}

/** The objects of a list; none when it is left out. Throws JsonError for anything else. */
export function readList(of: Json, name: string): Json[] {
  const value = of[name] ?? [];
  if (!Array.isArray(value)) throw new JsonError(`${name} is no list`);
  return value.map((item) => readObject(item, name));
}

/** A member that must be a text, neither empty nor longer than 1,000 characters. Throws JsonError. */
export function readText(of: Json, name: string): string {
  const value = of[name];
  if (typeof value !== 'string' || value === '' || value.length > textCharactersMax)
    throw new JsonError(`${name} is no text`);
  return value;
}

/** A member that may be left out or empty, which is null. Throws JsonError when it is no text. */
export function readOptionalText(of: Json, name: string): string | null {
  const value = of[name];
  return value === undefined || value === null || value === '' ? null : readText(of, name);
}

/** A member that is a time. Throws JsonError. */
export function readTime(of: Json, name: string): Date {
  const time = new Date(readText(of, name));
  if (Number.isNaN(time.getTime())) throw new JsonError(`${name} is no time`);
  return time;
}

/** A member that is a time, or null when it is left out. Throws JsonError. */
export function readOptionalTime(of: Json, name: string): Date | null {
  return readOptionalText(of, name) === null ? null : readTime(of, name);
}

/** A member that is a small whole number; 0 when it is left out. Throws JsonError. */
export function readCount(of: Json, name: string): number {
  const value = of[name] ?? 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new JsonError(`${name} is no whole number`);
  return value;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A text as an id of ours, or null when it is none. */
export function toOwnId(text: string | null): string | null {
  const id = text?.toLowerCase() ?? '';
  return uuid.test(id) ? id : null;
}

/** The id at the end of a link's path, such as the capture that a refund belongs to. */
export function readLinkedId(of: Json, { rel, path }: { rel: string; path: string }): string | null {
  for (const link of readList(of, 'links')) {
    const href = readOptionalText(link, 'href');
    if (link.rel !== rel || href === null || !URL.canParse(href)) continue;
    const [id = '', ...rest] = new URL(href).pathname.split(path)[1]?.split('/') ?? [];
    if (/^[\w-]+$/.test(id) && rest.length === 0) return id;
  }
  return null;
}
