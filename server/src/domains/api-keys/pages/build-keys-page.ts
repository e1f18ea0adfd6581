import type { KeyFields, KeysPage } from '../../../../../web/src/account-pages.ts';
import type { Problem } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { personKeyScopes } from '../../../lib/scopes.ts';
import { readOwnAccount } from '../../auth/index.ts';
import { listApiKeys } from '../list-api-keys.ts';

export const keysPath = '/account/keys';

export type KeysPageOptions = {
  /** The hidden fields of every form. */
  hidden: Record<string, string>;
  isRevoked: boolean;
  problem?: Problem;
  /** What was typed in the try before. */
  typed?: KeyFields;
};

/** A new key only reads, and ends, until somebody wants more of it. */
const proposed: KeyFields = { keyName: '', lifetime: '90', scopes: ['profile', 'credits:read'] };

/** The page of the API keys of a person. Throws `auth.session_ended`. */
export async function buildKeysPage(
  ctx: Ctx,
  caller: Caller,
  { hidden, isRevoked, problem, typed = proposed }: KeysPageOptions,
): Promise<KeysPage> {
  const now = ctx.clock.now().getTime();
  const keys = (await listApiKeys(ctx, caller, {})).map(
    ({ id, name, start, lastFour, scopes, createdAt, lastUsedAt, expiresAt }) => ({
      id,
      name,
      start,
      lastFour,
      scopes,
      createdAt,
      lastUsedAt,
      expiresAt,
      isExpired: expiresAt !== null && Date.parse(expiresAt) <= now,
      removal: { action: `${keysPath}/${id}/revoke`, hidden },
    }),
  );
  return {
    name: 'keys',
    account: await readOwnAccount(ctx, caller),
    keys,
    form: { action: keysPath, hidden },
    scopes: [...personKeyScopes],
    typed,
    done: isRevoked ? 'key-revoked' : null,
    problem: problem ?? null,
  };
}
