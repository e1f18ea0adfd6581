import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { violatedConstraint, type Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { newId } from '../../../lib/ids.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { openWallet } from '../../credits/index.ts';
import {
  createUser,
  findUserByAuth0Id,
  findUserByEmail,
  lockUser,
  setAuth0Id,
  type User,
} from '../../users/index.ts';
import type { VerifiedAccount } from '../sign-in/sign-in-person.ts';
import { enqueueVerificationMail } from '../recovery/resend-verification.ts';
import { announceChange } from '../factors/announce-change.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { accounts } from '../tables.ts';
import type { Identity } from './identity.ts';
import { reclaimAccount } from './reclaim-account.ts';

const triesMax = 3;

/**
 * The person whom an account at another provider signs in: its owner; else the one who has its address, if
 * both sides have shown the address to be theirs, or after the account has been reclaimed; else somebody new,
 * with a wallet, whose signup bonus waits for the confirmation of an address that the provider has not
 * confirmed. Throws `auth.account_deactivated`, `auth.upstream_email_missing`, `auth.upstream_email_taken`.
 */
export async function findPerson(
  ctx: Ctx,
  identity: Identity,
  origin: RequestOrigin,
): Promise<VerifiedAccount> {
  const found = await retryingRaces(() => ctx.db.asService((tx) => findOrAdd(ctx, tx, identity, origin)));
  if (found.isActive) return found;
  const { userId } = found;
  const failure = { type: 'login.failed', userId, details: { reason: 'account_deactivated' } } as const;
  await ctx.db.asService((tx) => recordSecurityEvent(ctx, tx, failure, origin));
  throw new AppError('auth.account_deactivated');
}

/** Two first sign-ins at once: one adds the person, the other finds them. */
async function retryingRaces<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isTaken = error instanceof AppError && error.code === 'users.email_taken';
      const isDouble = violatedConstraint(error) === 'accounts_provider_account_key';
      if (attempt >= triesMax || !(isTaken || isDouble)) throw error;
    }
  }
}

type Found = VerifiedAccount & { isActive: boolean };

async function findOrAdd(ctx: Ctx, tx: Tx, identity: Identity, origin: RequestOrigin): Promise<Found> {
  const { issuer, subject, email } = identity;
  const isThis = and(eq(accounts.provider, issuer), eq(accounts.providerAccountId, subject));
  const [account] = await tx
    .select({ id: accounts.id, userId: accounts.userId })
    .from(accounts)
    .where(isThis);
  if (account) {
    // The person comes before what is theirs, as everywhere: else two sign-ins could wait for each other.
    const { isActive } = await lockUser(tx, account.userId);
    const changes = { lastUsedAt: ctx.clock.now(), ...(email === undefined ? {} : { email }) };
    const { rowCount } = await tx.update(accounts).set(changes).where(eq(accounts.id, account.id));
    if (rowCount === 0) return findOrAdd(ctx, tx, identity, origin);
    return { userId: account.userId, accountId: account.id, amr: ['fed'], isActive };
  }
  const owner = await findOwner(ctx, tx, identity, origin);
  if (!owner.isActive) return { userId: owner.id, accountId: '', amr: ['fed'], isActive: false };
  const accountId = await addAccount(ctx, tx, owner, identity);
  return { userId: owner.id, accountId, amr: ['fed'], isActive: true };
}

/** Whose an account is that we see for the first time. */
async function findOwner(ctx: Ctx, tx: Tx, identity: Identity, origin: RequestOrigin): Promise<User> {
  const { email, issuer, isEmailVerified, subject } = identity;
  const details = { provider: issuer };
  const imported = isAuth0(ctx, issuer) ? await findUserByAuth0Id(tx, subject) : undefined;
  if (imported) return imported;
  if (email === undefined) throw new AppError('auth.upstream_email_missing');
  const known = await findUserByEmail(tx, email);
  if (!known) return addPerson(ctx, tx, { ...identity, email }, origin);
  if (!isEmailVerified) throw new AppError('auth.upstream_email_taken');
  const user = await lockUser(tx, known.id);
  if (!user.isActive) return user;
  // The person has moved to another address while we waited for them: they are not who has this one.
  if (user.email !== email) return findOwner(ctx, tx, identity, origin);
  if (user.emailVerifiedAt === null) await reclaimAccount(ctx, tx, { userId: user.id, details }, origin);
  const change = { type: 'account.linked', notice: 'account_linked', details } as const;
  await announceChange(ctx, tx, { user, ...change }, origin);
  return user;
}

async function addPerson(
  ctx: Ctx,
  tx: Tx,
  { email, issuer, isEmailVerified, name, picture }: Identity & { email: string },
  origin: RequestOrigin,
): Promise<User> {
  const user = await createUser(ctx, tx, { email, name, picture, isEmailVerified });
  // Whoever can make up identities elsewhere makes up addresses, too.
  await openWallet(ctx, tx, user.id, { ipAddress: origin.ipAddress, waitsForAddress: true });
  const event = { type: 'account.registered', userId: user.id, details: { provider: issuer } } as const;
  await recordSecurityEvent(ctx, tx, event, origin);
  if (!isEmailVerified) await enqueueVerificationMail(ctx, tx, { email, origin });
  return user;
}

/** Adds an account to a person's ways in. `tx` is the service's. Returns its id. */
export async function addAccount(
  ctx: Ctx,
  tx: Tx,
  { id: userId }: { id: string },
  { issuer, subject, email }: Identity,
): Promise<string> {
  const now = ctx.clock.now();
  const id = newId(ctx);
  await tx.insert(accounts).values({
    id,
    userId,
    provider: issuer,
    providerAccountId: subject,
    email: email ?? null,
    createdAt: now,
    lastUsedAt: now,
  });
  if (isAuth0(ctx, issuer)) await setAuth0Id(ctx, tx, { userId, auth0Id: subject });
  return id;
}

const bare = (address: string) => address.replace(/^https?:\/\//, '').replace(/\/$/, '');

/** Whether an issuer is the Auth0 tenant of the settings, whose `sub` stands in the profile, too. */
export function isAuth0({ config: { auth0Domain } }: Ctx, issuer: string): boolean {
  return auth0Domain !== '' && bare(auth0Domain) === bare(issuer);
}
