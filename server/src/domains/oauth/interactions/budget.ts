import { sql } from 'drizzle-orm';
import type { Interaction } from 'oidc-provider';
import type { BudgetView, CurrentBudget } from '../../../../../web/src/budget-view.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { decimalText, parseDecimal } from '../../../lib/amount-text.ts';
import { newId } from '../../../lib/ids.ts';
import { listOwnMandates, type MandateView } from '../../credits/index.ts';
import type { CreditsSpend } from '../granted-details.ts';

/** What an application asks to spend, if it does. */
export function requestedBudget({ params }: Interaction): CreditsSpend | undefined {
  const text = params['authorization_details'];
  if (typeof text !== 'string') return undefined;
  const details = JSON.parse(text) as CreditsSpend[];
  return details.find(({ type }) => type === 'credits_spend');
}

/** The fields of a budget as a form brings them, in credits. */
export type BudgetForm = { allowance?: string | undefined; maxPerSpend?: string | undefined };

/** The budget as the consent page shows it; `typed` is what its form brought in the try before. */
export function toBudgetView(
  ctx: Ctx,
  asked: CreditsSpend,
  mandate: MandateView | undefined,
  typed: BudgetForm | undefined,
): BudgetView {
  return {
    allowance: asked.allowance,
    period: asked.period,
    maxPerSpend: asked.maxPerSpend ?? null,
    kinds: asked.kinds ?? ['free', 'paid'],
    current: mandate ? toCurrentBudget(mandate) : null,
    ...budgetSettings(ctx, typed),
  };
}

/** What every budget is shown with. */
export function budgetSettings(
  { config }: Ctx,
  typed: BudgetForm | undefined,
): Pick<BudgetView, 'scale' | 'creditsPerEur' | 'typed'> {
  const { creditsScale: scale, creditsPerEur } = config;
  const { allowance, maxPerSpend } = typed ?? {};
  const isTyped = allowance !== undefined || maxPerSpend !== undefined;
  const fields = { allowance: allowance ?? '', maxPerSpend: maxPerSpend ?? '' };
  return { scale, creditsPerEur, typed: isTyped ? fields : null };
}

/** What the person typed into the form: no more than was asked for. Throws `request.invalid`. */
export function readLowered({ config }: Ctx, asked: CreditsSpend, form: BudgetForm): CreditsSpend {
  const { creditsScale: scale } = config;
  const most = { scale, max: asked.allowance, name: 'allowance' };
  const allowance = readCredits(form.allowance, most) ?? asked.allowance;
  const mostPerSpend = { scale, max: asked.maxPerSpend ?? allowance, name: 'maxPerSpend' };
  const maxPerSpend = readCredits(form.maxPerSpend, mostPerSpend) ?? asked.maxPerSpend;
  return { ...asked, allowance, ...(maxPerSpend === undefined ? {} : { maxPerSpend }) };
}

/**
 * The units of the credits that a field of a form holds, undefined when it is empty. `max`: in units, too.
 * Throws `request.invalid`.
 */
export function readCredits(
  text: string | undefined,
  { scale, max, name }: { scale: number; max: number; name: string },
): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') return undefined;
  const units = parseDecimal(trimmed, scale);
  if (units !== undefined && units > 0 && units <= max) return units;
  const kind = scale === 0 ? 'a whole number' : 'a number';
  const message = `must be ${kind} from ${decimalText(1, scale)} to ${decimalText(max, scale)}`;
  throw new AppError('request.invalid', { errors: [{ path: `/body/${name}`, message }] });
}

/** The mandate that an application has from a person. */
export async function findMandate(
  ctx: Ctx,
  tx: Tx,
  { userId, clientId }: { userId: string; clientId: string },
): Promise<MandateView | undefined> {
  const [mandate] = await listOwnMandates(ctx, tx, { userId, clientIds: [clientId] });
  return mandate;
}

/** A mandate as pages show it, all of its terms as they are. */
export function toCurrentBudget({
  allowance,
  period,
  maxPerSpend,
  kinds,
  status,
}: MandateView): CurrentBudget {
  return { allowance, period, maxPerSpend, kinds, status: status as CurrentBudget['status'] };
}

/**
 * Turns a consent into a mandate, or the terms of the mandate that there is into those of the consent, in the
 * transaction of the consent. Throws `auth.session_ended`.
 */
export async function grantBudget(
  ctx: Ctx,
  tx: Tx,
  { userId, sessionId, clientId }: Caller & { clientId: string },
  granted: CreditsSpend,
): Promise<void> {
  const at = ctx.clock.now().toISOString();
  const terms = {
    allowance: granted.allowance,
    period: granted.period,
    kinds: granted.kinds ?? ['free', 'paid'],
    spend_max: granted.maxPerSpend ?? null,
  };
  const mandate = await findMandate(ctx, tx, { userId, clientId });
  if (mandate) {
    const changes = JSON.stringify({ ...terms, status: 'active', expires_at: null });
    await tx.execute(
      sql`select credits.change_mandate(${userId}, ${sessionId}, ${mandate.id}, ${changes}::jsonb, ${at})`,
    );
    return;
  }
  const all = JSON.stringify({ ...terms, app_id: clientId, overrun: 'refuse', overrun_max: 0 });
  await tx.execute(
    sql`select credits.create_mandate(${userId}, ${sessionId}, ${newId(ctx)}, ${all}::jsonb, ${at})`,
  );
}
