import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Ctx } from '../../ctx.ts';
import { inExchange } from './exchange.ts';
import { findLiveAuthorization } from './stores/authorization.ts';

/** Leave to spend a person's credits, as an application asks for it. @see RFC 9396 §2 */
export type CreditsSpend = {
  type: 'credits_spend';
  allowance: number;
  period: 'day' | 'week' | 'month' | 'total';
  maxPerSpend?: number;
  kinds?: ('free' | 'paid')[];
};

const periods = new Set<unknown>(['day', 'week', 'month', 'total']);
const kinds = new Set(['free', 'paid']);
const locationsMax = 5;
const locationLengthMax = 500;
const members = new Set(['type', 'allowance', 'period', 'maxPerSpend', 'kinds', 'locations']);

/** Refuses a detail that does not say clearly what it asks for. Throws `invalid_authorization_details`. */
export function checkCreditsSpend(context: KoaContextWithOIDC, detail: Record<string, unknown>): void {
  const unknown = Object.keys(detail).find((name) => !members.has(name));
  if (unknown !== undefined) refuse(`there is no member ${JSON.stringify(unknown)}`);
  if (!isCredits(detail['allowance'])) refuse('allowance must be a whole number of credits');
  if (!periods.has(detail['period'])) refuse('period must be day, week, month or total');
  const { maxPerSpend, kinds: given } = detail;
  if (maxPerSpend !== undefined && !isCredits(maxPerSpend))
    refuse('maxPerSpend must be a whole number of credits');
  const isSet = Array.isArray(given) && given.length > 0 && new Set(given).size === given.length;
  if (given !== undefined && !(isSet && given.every((kind) => kinds.has(kind))))
    refuse('kinds must be free, paid or both');
  if (detail['locations'] !== undefined && !isListOfAddresses(detail['locations']))
    refuse(`locations must be a list of 1 to ${locationsMax} addresses`);
  const all = JSON.parse(String(context.oidc.params?.['authorization_details'])) as { type?: string }[];
  if (all.filter(({ type }) => type === 'credits_spend').length > 1) refuse('only one may be asked for');
}

function refuse(what: string): never {
  throw new errors.InvalidAuthorizationDetails(`credits_spend: ${what}`);
}

function isCredits(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** Where it is meant to count. @see RFC 9396 §2.2 */
function isListOfAddresses(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > locationsMax) return false;
  return value.every(
    (one) => typeof one === 'string' && one.length <= locationLengthMax && URL.canParse(one),
  );
}

/** What a person may still say to of it, as an application reads it. */
type GrantedDetail = Record<string, unknown> & { type: string };

/**
 * What an application may spend under an authorization, as its mandate says now: the person may have lowered,
 * raised or revoked it since. Undefined when nothing was asked for with it.
 */
export async function grantedDetails(
  ctx: Ctx,
  source: { grantId?: string | undefined } | undefined,
): Promise<GrantedDetail[] | undefined> {
  const authorizationId = source?.grantId;
  if (authorizationId === undefined) return undefined;
  const authorization = await inExchange(ctx, (tx) => findLiveAuthorization(ctx, tx, authorizationId));
  return authorization?.mandates.map(toDetail);
}

function toDetail(view: Record<string, unknown>): GrantedDetail {
  const { id, allowance, period, kinds: granted, maxPerSpend } = view;
  return {
    type: 'credits_spend',
    mandateId: id,
    allowance,
    period,
    ...(maxPerSpend === null ? {} : { maxPerSpend }),
    kinds: granted,
  };
}
