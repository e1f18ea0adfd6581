import { ownPathOf } from '../../lib/own-path.ts';

/** The page on which somebody signs in, to come back to `next`; to nothing where that is no path of ours. */
export function signInUrl(next: string): string {
  const path = ownPathOf(new URL(next, 'http://localhost'));
  return path === next ? `/sign-in?${new URLSearchParams({ next }).toString()}` : '/sign-in';
}
