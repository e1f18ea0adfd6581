import { count, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { newId } from '../../lib/ids.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { assertRecentSignIn } from '../auth/index.ts';
import { lockUser, readUser } from '../users/index.ts';
import { addSecret } from './add-secret.ts';
import { recordKeyEvent } from './record-key-event.ts';
import { livingKeysOf, requireOwner, type Owner, type OwnerChoice } from './require-owner.ts';
import type { CreatedKey, NewBudget, NewKey } from './schemas.ts';
import { selectKey } from './select-keys.ts';
import { apiKeys } from './tables.ts';
import { toTerms } from './to-terms.ts';

const keysMax = 100;
/** PostgreSQL reads no years of more digits. */
const lastInstant = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Makes a key for the caller, or for an application that they administer, and tells them by mail. The secret
 * is returned this once; stored is its digest. With a budget, a mandate limits what the key may spend. Throws
 * `auth.step_up_required`, `request.invalid`, `request.not_found`, `applications.admin_required`,
 * `api_keys.too_many`.
 */
export async function createApiKey(
  ctx: Ctx,
  caller: Caller,
  { applicationId, ...given }: NewKey & OwnerChoice,
  origin: RequestOrigin,
): Promise<CreatedKey> {
  const expiresAt = readExpiry(ctx, given.expiresAt);
  return ctx.db.asServiceFor(caller, async (tx) => {
    // Whoever gives the account to its mailbox ends keys: this one comes before or is refused after.
    await lockUser(tx, caller.userId);
    await assertRecentSignIn(ctx, caller, tx);
    const owner = await requireOwner(tx, caller, { applicationId });
    await assertRoom(tx, owner);
    const id = newId(ctx);
    const now = ctx.clock.now();
    await tx.insert(apiKeys).values({
      id,
      userId: owner.userId,
      applicationId: owner.applicationId,
      createdBy: caller.userId,
      name: given.name,
      scopes: given.scopes,
      rateLimit: given.rateLimit ?? null,
      expiresAt,
      createdAt: now,
      updatedAt: now,
    });
    if (given.budget) await giveBudget(ctx, tx, { id, walletId: owner.userId, budget: given.budget });
    const key = await addSecret(ctx, tx, id);
    const details = { name: given.name, scopes: given.scopes };
    await recordKeyEvent(ctx, tx, { act: 'created', caller, owner, keyId: id, details }, origin);
    await announce(ctx, tx, { caller, owner, name: given.name });
    return { ...(await selectKey(ctx, tx, id)), key };
  });
}

/** When a key is to end. Throws `request.invalid` when that is past. */
function readExpiry({ clock }: Ctx, expiresAt: string | null | undefined): Date | null {
  if (expiresAt === null || expiresAt === undefined) return null;
  const milliseconds = Date.parse(expiresAt);
  if (milliseconds > clock.now().getTime()) return new Date(Math.min(milliseconds, lastInstant));
  throw new AppError('request.invalid', {
    errors: [{ path: '/body/expiresAt', message: 'must be a time that lies ahead' }],
  });
}

async function assertRoom(tx: Tx, owner: Owner): Promise<void> {
  const [living] = await tx.select({ total: count() }).from(apiKeys).where(livingKeysOf(owner));
  if ((living?.total ?? 0) < keysMax) return;
  throw new AppError('api_keys.too_many', { extensions: { max: keysMax } });
}

type Given = { id: string; walletId: string | null; budget: NewBudget };

/** The key of an application may be used on many wallets, so its budget is over none in particular. */
async function giveBudget(ctx: Ctx, tx: Tx, { id, walletId, budget }: Given): Promise<void> {
  await tx.execute(sql`
    select credits.create_budget(${id}, ${walletId}, ${newId(ctx)}, ${JSON.stringify(toTerms(budget))}::jsonb,
             ${ctx.clock.now().toISOString()})`);
}

type Announcement = { caller: Caller; owner: Owner; name: string };

async function announce(ctx: Ctx, tx: Tx, { caller, owner, name }: Announcement): Promise<void> {
  const { email } = await readUser(tx, caller.userId);
  const applicationName = owner.applicationId === null ? null : owner.name;
  const at = ctx.clock.now().toISOString();
  await ctx.jobs.enqueue(tx, 'send-api-key-mail', { email, name, applicationName, at });
}
