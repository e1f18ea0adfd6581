import { readField, readFields, readText } from './read-field.ts';

/** An account at another provider, which signs the person in. */
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
export function readAccount(value: unknown): ImportedAccount | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = readFields(value as Record<string, unknown>);
  const provider = readText(readField(fields, 'provider', 'providerId'));
  const id = readText(readField(fields, 'id', 'providerAccountId', 'accountId', 'rawId', 'userId'));
  if (!provider || !id || provider.length > textMax || id.length > textMax) return undefined;
  return { provider: nameOf(provider), id, email: readText(readField(fields, 'email')) ?? null };
}

/** What a provider is called here. */
function nameOf(provider: string): string {
  const name = provider.toLowerCase();
  return (
    { 'google-oauth2': 'google', 'google.com': 'google', 'github.com': 'github', 'apple.com': 'apple' }[
      name
    ] ?? name
  );
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
