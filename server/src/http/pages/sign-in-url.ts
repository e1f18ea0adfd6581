import { ownPathOf } from '../../lib/own-path.ts';

/** What may be remembered while somebody signs in. */
export const nextCharactersMax = 400;

/**
 * The page on which somebody signs in, to come back to `next`: without its query where that is too long to be
 * remembered, and to nothing where it is no path of ours.
 */
export function signInUrl(next: string): string {
  const address = new URL(next, 'http://localhost');
  if (ownPathOf(address) !== next) return '/sign-in';
  const kept = next.length > nextCharactersMax ? address.pathname : next;
  return `/sign-in?${new URLSearchParams({ next: kept }).toString()}`;
}
