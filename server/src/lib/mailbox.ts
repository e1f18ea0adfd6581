import { domainToASCII } from 'node:url';
import { normalizeEmail } from './email.ts';

/** How a provider delivers: what it ignores in front of the `@`, and other names of its domains. */
type Provider = { domains: string[]; ignores?: RegExp; separators?: string };

const providers: Provider[] = [
  { domains: ['gmail.com', 'googlemail.com'], ignores: /\./g },
  { domains: ['proton.me', 'protonmail.com', 'protonmail.ch', 'pm.me'], ignores: /[._-]/g },
  { domains: ['icloud.com', 'me.com', 'mac.com'] },
  { domains: ['yandex.ru', 'yandex.com', 'ya.ru', 'yandex.by', 'yandex.kz'], ignores: /[.-]/g },
  { domains: ['yahoo.com'], separators: '-' },
];

const providerOf = new Map(
  providers.flatMap((provider) => provider.domains.map((domain) => [domain, provider])),
);

/**
 * One spelling for all addresses that arrive in the same mailbox: without what follows a `+`, without what
 * the provider is known to ignore, under the first name of its domain. Never an address to write to, only to
 * compare. An address that nothing would be left of stays as it is.
 * @see RFC 5233 (subaddressing)
 */
export function canonicalMailbox(email: string): string {
  const normalized = normalizeEmail(email);
  const at = normalized.lastIndexOf('@');
  const [local, domain] = [normalized.slice(0, at), normalized.slice(at + 1)];
  const host = domainToASCII(domain) || domain;
  const { domains, ignores, separators = '' } = providerOf.get(host) ?? { domains: [host] };
  const ends = Array.from(`+${separators}`, (separator) => local.indexOf(separator)).filter((end) => end > 0);
  const base = local.slice(0, Math.min(local.length, ...ends));
  const kept = ignores ? base.replaceAll(ignores, '') : base;
  return `${kept === '' ? local : kept}@${domains[0]}`;
}
