import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { inExchange } from '../exchange.ts';
import { readRoles } from '../read-roles.ts';
import { passwordAcr, readFactors, secondFactorAcr } from '../../auth/index.ts';

const { Check, Prompt, base } = interactionPolicy;

/**
 * What has to be settled with the person before an authorization request is answered, in this order: who they
 * are, which account they mean, whether they have shown enough of it, whether they have access to the
 * application, and what they agree to.
 */
export function createInteractionPolicy(ctx: Ctx): interactionPolicy.DefaultPolicy {
  const policy = base();
  const login = policy.get('login');
  if (!login) throw new Error('The library has no prompt for sign-in');
  // A kind of authentication that we do not have cannot be had by signing in again.
  login.checks.remove('essential_acrs');
  login.checks.remove('essential_acr');
  login.checks.add(new Check('unmet_acr', 'the kind of authentication is not available', unmetAcr));
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 1);
  policy.add(createSecondFactorPrompt(ctx), 2);
  policy.add(createAccessPrompt(ctx), 3);
  return policy;
}

/**
 * @see OpenID Connect Core 1.0 §5.5.1.1, OpenID Connect Core Error Code unmet_authentication_requirements
 * 1.0
 */
function unmetAcr(context: KoaContextWithOIDC): boolean {
  const { wanted, isEssential } = wantedAcrs(context);
  if (!isEssential || wanted.length === 0) return Check.NO_NEED_TO_PROMPT;
  if (wanted.includes(passwordAcr) || wanted.includes(secondFactorAcr)) return Check.NO_NEED_TO_PROMPT;
  throw new errors.UnmetAuthenticationRequirements('none of the requested acr values is available');
}

/** The kinds of authentication that a request asks for, the preferred one first. */
function wantedAcrs({ oidc }: KoaContextWithOIDC): { wanted: unknown[]; isEssential: boolean } {
  const asked = (oidc.claims as { id_token?: { acr?: Record<string, unknown> | null } }).id_token?.acr;
  const { value, values, essential } = asked ?? {};
  const isEssential = essential === true;
  if (isEssential && values !== undefined && !Array.isArray(values))
    throw new errors.InvalidRequest('claims.id_token.acr.values must be an array');
  const listed: unknown[] = Array.isArray(values) ? values : [];
  return { wanted: [...listed, ...(value === undefined ? [] : [value])], isEssential };
}

/**
 * Who signed in by one factor is asked for a second one, where the application always wants that or the
 * request has to have it; where it only prefers it, those who have one. @see OpenID Connect Core 1.0 §3.1.2.1
 */
function createSecondFactorPrompt(ctx: Ctx): interactionPolicy.Prompt {
  const isMissing = async (context: KoaContextWithOIDC): Promise<boolean> => {
    const { account, client, session } = context.oidc;
    if (!account || !client || session?.acr === secondFactorAcr) return Check.NO_NEED_TO_PROMPT;
    const { wanted, isEssential } = wantedAcrs(context);
    const mustHave = isEssential && wanted.includes(secondFactorAcr) && !wanted.includes(passwordAcr);
    if (client['require_second_factor'] === true || mustHave) return Check.REQUEST_PROMPT;
    if (wanted[0] !== secondFactorAcr) return Check.NO_NEED_TO_PROMPT;
    const { methods } = await inExchange(ctx, (tx) => readFactors(tx, account.accountId));
    return methods.length > 0 ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
  };
  return new Prompt(
    { name: 'second_factor', requestable: false },
    new Check('no_second_factor', 'a second factor is needed', 'interaction_required', isMissing),
  );
}

/** People without a role in a closed application are asked to ask for one. */
function createAccessPrompt(ctx: Ctx): interactionPolicy.Prompt {
  const isMissing = async ({ oidc }: KoaContextWithOIDC): Promise<boolean> => {
    const { account, client } = oidc;
    if (!account || !client) return Check.NO_NEED_TO_PROMPT;
    const applicationId = String(client['application_id']);
    const roles = await inExchange(ctx, (tx) => readRoles(tx, applicationId, account.accountId));
    return roles ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
  };
  return new Prompt(
    { name: 'access', requestable: false },
    new Check('no_access', 'the person has no access to this application', 'access_denied', isMissing),
  );
}
