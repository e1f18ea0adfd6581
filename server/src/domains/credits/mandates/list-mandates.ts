import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { Spender } from '../holds/transact-credits.ts';
import { readWallet } from '../read-wallet.ts';
import { resolveWallet } from '../resolve-wallet.ts';
import type { MandateView } from './schemas.ts';

/** More than any person has apps. */
const mandatesMax = 200;

/**
 * The mandates that the caller has given, those in force first, newest first; an app sees those that it was
 * given by the person. Throws `request.invalid`, `auth.session_ended`, `auth.application_invalid`.
 */
export function listMandates(
  ctx: Ctx,
  spender: Spender,
  { onBehalfOf }: { onBehalfOf?: string },
): Promise<MandateView[]> {
  return selectMandates(ctx, spender, resolveWallet(spender, { onBehalfOf }, '/query'), null);
}

/**
 * The mandates of a person that are not revoked, of these applications; one each at most. `tx` is the
 * service's.
 */
export async function listOwnMandates(
  ctx: Ctx,
  tx: Tx,
  { userId, clientIds }: { userId: string; clientIds: string[] },
): Promise<MandateView[]> {
  const at = ctx.clock.now().toISOString();
  const { rows } = await tx.execute<{ view: MandateView }>(sql`
    select credits.mandate_view(m, ${at}::timestamptz) as view from credits.mandates m
     where m.wallet_id = ${userId} and m.member_id is null and m.status <> 'revoked'
       and m.app_id = any (${sql.param(clientIds)}::text[])`);
  return rows.map(({ view }) => view);
}

/**
 * A mandate that the caller has given. Throws `auth.session_ended`, `request.not_found`.
 */
export async function readMandate(
  ctx: Ctx,
  caller: Spender & { userId: string },
  mandateId: string,
): Promise<MandateView> {
  const [mandate] = await selectMandates(ctx, caller, caller.userId, mandateId);
  if (!mandate) throw new AppError('request.not_found');
  return mandate;
}

function selectMandates(
  ctx: Ctx,
  spender: Spender,
  walletId: string,
  mandateId: string | null,
): Promise<MandateView[]> {
  const at = ctx.clock.now().toISOString();
  const app = spender.clientId ?? null;
  return readWallet(ctx, spender, walletId, async (tx) => {
    const { rows } = await tx.execute<{ view: MandateView }>(sql`
      select credits.mandate_view(m, ${at}::timestamptz) as view from credits.mandates m
       where m.wallet_id = ${walletId} and m.member_id is null
         and (${app}::text is null or m.app_id = ${app}) and (${mandateId}::uuid is null or m.id = ${mandateId})
       order by m.status = 'revoked', m.created_at desc, m.id desc limit ${mandatesMax}`);
    return rows.map(({ view }) => view);
  });
}
