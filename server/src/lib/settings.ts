/** One setting: where it comes from, how it is read and how it is documented. */
export type Setting = {
  env: string;
  type: 'text' | 'integer' | 'boolean' | 'duration' | 'list' | 'url';
  default: string;
  group: string;
  description: string;
  secret?: boolean;
  requiredInProduction?: boolean;
};

const secondsPerUnit: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Parses a setting's text into its value, or says what is wrong with it. Durations come out in seconds. */
export function parseSetting(setting: Setting, text: string): { value: unknown } | { problem: string } {
  switch (setting.type) {
    case 'text':
      return { value: text };
    case 'integer':
      return /^\d{1,15}$/.test(text)
        ? { value: Number(text) }
        : { problem: `expected a whole number, got "${text}".` };
    case 'boolean':
      if (['true', '1', 'yes', 'on'].includes(text.toLowerCase())) return { value: true };
      if (['false', '0', 'no', 'off'].includes(text.toLowerCase())) return { value: false };
      return { problem: `expected true or false, got "${text}".` };
    case 'duration':
      return parseDuration(text);
    case 'list':
      return {
        value: Object.freeze(
          text
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== ''),
        ),
      };
    case 'url':
      return parseUrl(text);
  }
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
