import { knownIssuers } from '../../../identity-providers.ts';
import { githubEndpoints } from '../upstream/read-github-identity.ts';
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

const { google, apple } = knownIssuers;
const github = githubEndpoints({ issuer: knownIssuers.github }).issuer;

/** The names that other systems have for providers, by the issuers by which sign-in knows them. */
const names: Record<string, string[]> = {
  [google]: ['google', 'google-oauth2', 'google.com', 'accounts.google.com'],
  [github]: ['github', 'github.com', knownIssuers.github],
  [apple]: ['apple', 'apple.com', 'appleid.apple.com'],
};
const issuers = new Map(
  Object.entries(names).flatMap(([issuer, others]) =>
    [issuer, ...others].map((name): [string, string] => [name, issuer]),
  ),
);
/** The issuer of such a tenant ends with a slash, wherever it was written without. */
const auth0Tenant = /^https:\/\/([\w-]+\.)+auth0\.com$/;

function issuerOf(provider: string): string {
  const name = provider.toLowerCase().replace(/\/$/, '');
  return issuers.get(name) ?? (auth0Tenant.test(name) ? `${name}/` : provider);
}

/** Whether sign-in could know the provider of an account: it knows none by a name. */
export function hasIssuer({ provider }: ImportedAccount): boolean {
  return /^https?:\/\//i.test(provider);
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
