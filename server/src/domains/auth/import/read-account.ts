import { readField, readFields, readText } from './read-field.ts';

/** An account at another provider, known by its issuer, which signs the person in. */
export type ImportedAccount = { provider: string; id: string; email: string | null };

const accountsMax = 20;
const textMax = 255;

/**
 * The accounts of a person: a list of objects ({provider, id, email?}), the same as JSON text, or
 * `google:123 github:456`. Undefined when it is none of these.
 */
export function readAccounts(value: unknown): ImportedAccount[] | undefined {
  if (value === undefined) return [];
  const list = typeof value === 'string' ? readTextList(value) : value;
  if (!Array.isArray(list) || list.length > accountsMax) return undefined;
  const accounts = list.map(readAccount);
  return accounts.some((account) => account === undefined) ? undefined : (accounts as ImportedAccount[]);
}

/** One account under the names that identity providers and libraries have for its parts. */
function readAccount(value: unknown): ImportedAccount | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = readFields(value as Record<string, unknown>);
  const provider = readText(readField(fields, 'provider', 'providerId'));
  const id = readText(readField(fields, 'providerAccountId', 'accountId', 'rawId', 'userId', 'id'));
  if (!provider || !id || provider.length > textMax || id.length > textMax) return undefined;
  return { provider: issuerOf(provider), id, email: readText(readField(fields, 'email')) ?? null };
}

/** Providers are known by their issuers; these are those of the names that other systems have for them. */
const issuers: Record<string, string> = {
  google: 'https://accounts.google.com',
  'google-oauth2': 'https://accounts.google.com',
  'google.com': 'https://accounts.google.com',
  github: 'https://github.com',
  'github.com': 'https://github.com',
  apple: 'https://appleid.apple.com',
  'apple.com': 'https://appleid.apple.com',
};

function issuerOf(provider: string): string {
  return issuers[provider.toLowerCase()] ?? provider;
}

function readTextList(text: string): unknown {
  if (text.trimStart().startsWith('[')) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }
  const parts = text.split(/[\s;,]+/).filter(Boolean);
  return parts.map((part) => {
    const [provider, ...id] = part.split(':');
    return { provider, id: id.join(':') };
  });
}
