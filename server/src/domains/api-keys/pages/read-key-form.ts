import type { KeyFields } from '../../../../../web/src/account-pages.ts';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { personKeyScopes } from '../../../lib/scopes.ts';
import type { NewKey } from '../schemas.ts';
import type { KeyForm } from './schemas.ts';

const dayMs = 86_400_000;

/** What the form for a key holds, as its page shows it again. */
export function toKeyFields({ keyName, lifetime, ...ticks }: KeyForm): KeyFields {
  return {
    keyName,
    lifetime,
    scopes: personKeyScopes.filter((scope) => ticks[`scope:${scope}` as const] === 'on'),
  };
}

/**
 * The key that the form asks for: without a limit of its own, and without a budget, which the API gives it.
 * Throws `request.invalid` when it would open nothing.
 */
export function readKeyForm({ clock }: Ctx, { keyName, lifetime, scopes }: KeyFields): NewKey {
  const opened = personKeyScopes.filter((scope) => scopes.includes(scope));
  if (opened.length === 0) {
    const message = 'must name one at least';
    throw new AppError('request.invalid', { errors: [{ path: '/body/scopes', message }] });
  }
  const expiresAt =
    lifetime === 'never' ? null : new Date(clock.now().getTime() + Number(lifetime) * dayMs).toISOString();
  return { name: keyName, scopes: opened, expiresAt };
}
