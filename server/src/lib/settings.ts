import { isIP } from 'node:net';

/** One setting: where it comes from, how it is read and how it is documented. */
export type Setting = {
  env: string;
  type:
    | 'text'
    | 'choice'
    | 'integer'
    | 'credits'
    | 'scale'
    | 'boolean'
    | 'duration'
    | 'url'
    | 'origins'
    | 'networks'
    | 'domain';
  default: string;
  /** What a `choice` may be, besides empty where that is its default. */
  choices?: readonly string[];
  group: string;
  description: string;
  secret?: boolean;
  requiredInProduction?: boolean;
};

const secondsPerUnit: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Parses a setting's text into its value, or says what is wrong with it. Durations come out in seconds,
 * credits in units of which a credit has 10^scale.
 */
export function parseSetting(
  setting: Setting,
  text: string,
  scale = 0,
): { value: unknown } | { problem: string } {
  switch (setting.type) {
    case 'text':
      return { value: text };
    case 'choice':
      return parseChoice(setting, text);
    case 'integer':
      return /^\d{1,15}$/.test(text)
        ? { value: Number(text) }
        : { problem: `expected a whole number, got "${text}".` };
    case 'credits':
      return parseCredits(text, scale);
    case 'scale':
      return /^[0-6]$/.test(text)
        ? { value: Number(text) }
        : { problem: `expected a number of decimal places from 0 to 6, got "${text}".` };
    case 'boolean':
      if (['true', '1', 'yes', 'on'].includes(text.toLowerCase())) return { value: true };
      if (['false', '0', 'no', 'off'].includes(text.toLowerCase())) return { value: false };
      return { problem: `expected true or false, got "${text}".` };
    case 'duration':
      return parseDuration(text);
    case 'origins':
      return parseList(text, 'origins such as https://app.example.com', originOf);
    case 'networks':
      return parseList(text, 'addresses or ranges such as 10.0.0.0/8', networkOf);
    case 'url':
      return parseUrl(text);
    case 'domain':
      return parseDomain(text);
  }
}

function parseChoice(setting: Setting, text: string): { value: string } | { problem: string } {
  const { choices = [] } = setting;
  if (text === setting.default || choices.includes(text)) return { value: text };
  return { problem: `expected ${choices.join(', ')}, got "${text}".` };
}

function parseCredits(text: string, scale: number): { value: number } | { problem: string } {
  const units = /^\d{1,15}$/.test(text) ? Number(text) * 10 ** scale : Number.NaN;
  if (Number.isNaN(units)) return { problem: `expected a whole number of credits, got "${text}".` };
  if (!Number.isSafeInteger(units)) return { problem: `${text} credits are more than can be counted.` };
  return { value: units };
}

function parseDuration(text: string): { value: number } | { problem: string } {
  const match = /^(\d{1,9})\s*([smhd]?)$/.exec(text);
  if (!match) return { problem: `expected a duration such as 90s, 15m, 12h or 7d, got "${text}".` };
  return { value: Number(match[1]) * (secondsPerUnit[match[2] ?? ''] ?? 1) };
}

function parseUrl(text: string): { value: string } | { problem: string } {
  if (text === '') return { value: '' };
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    return { problem: `expected an http(s) address, got "${text}".` };
  }
  return { value: text.replace(/\/+$/, '') };
}

/** The dot that older software wants in front of it is taken away. @see RFC 6265 §5.2.3 */
function parseDomain(text: string): { value: string } | { problem: string } {
  const domain = text.replace(/^\./, '').toLowerCase();
  const isDomain = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/.test(domain);
  if (text === '' || isDomain) return { value: domain };
  return { problem: `expected a domain such as example.com, without scheme and port, got "${text}".` };
}

/** A comma-separated list; `read` returns an item in its one spelling, or nothing when it is not one. */
function parseList(
  text: string,
  expected: string,
  read: (item: string) => string | undefined,
): { value: readonly string[] } | { problem: string } {
  const values: string[] = [];
  for (const item of text.split(',').map((part) => part.trim())) {
    if (item === '') continue;
    const value = read(item);
    if (value === undefined) return { problem: `expected ${expected}, got "${item}".` };
    values.push(value);
  }
  return { value: Object.freeze(values) };
}

function originOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, pathname, search, hash, username, origin } = new URL(text);
  const isBare = pathname === '/' && search + hash + username === '';
  return /^https?:$/.test(protocol) && isBare ? origin : undefined;
}

function networkOf(text: string): string | undefined {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return text;
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return undefined;
  if (prefix === undefined) return text;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128) ? text : undefined;
}
