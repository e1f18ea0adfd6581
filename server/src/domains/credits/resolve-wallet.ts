import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import type { Spender } from './holds/transact-credits.ts';

/** Whose credits are meant: the person on whose behalf an application asks, or a team's wallet. */
export type WalletChoice = { onBehalfOf?: string | undefined; walletId?: string | undefined };

/**
 * The wallet that a spender spends from: a person's own or that of a team, or that of the person on whose
 * behalf an application asks. Whether they may is for the ledger to say. Throws `request.invalid` when an
 * application names nobody or another wallet than that person's, or a person names somebody else.
 */
export function resolveWallet(
  spender: Spender,
  { onBehalfOf, walletId }: WalletChoice,
  path = '/body',
): string {
  if ('userId' in spender) {
    if (onBehalfOf === undefined || onBehalfOf === spender.userId) {
      return walletId ?? spender.userId;
    }
    throw wrong(`${path}/onBehalfOf`, 'is for applications that ask with their own credentials');
  }
  if (onBehalfOf === undefined) throw wrong(`${path}/onBehalfOf`, 'is missing');
  if (walletId !== undefined && walletId !== onBehalfOf) {
    throw wrong(`${path}/walletId`, 'must be onBehalfOf: an application spends from no wallet of a team');
  }
  return onBehalfOf;
}

/**
 * Whether a person spends from their own wallet by a token of their own, or a key without a budget: that
 * needs no mandate.
 */
export function isOwnWallet(spender: Spender, { walletId }: WalletChoice): spender is Caller {
  if (!('userId' in spender) || spender.clientId !== undefined || spender.isBudgeted) return false;
  return walletId === undefined || walletId === spender.userId;
}

/** Throws `request.invalid` when an application spends under another name than its own client id. */
export function assertOwnApp(spender: Spender, appId: string): void {
  if (spender.clientId === undefined || spender.clientId === appId) return;
  throw wrong('/body/appId', `must be your client id, ${spender.clientId}`);
}

function wrong(path: string, message: string): AppError {
  return new AppError('request.invalid', { errors: [{ path, message }] });
}
