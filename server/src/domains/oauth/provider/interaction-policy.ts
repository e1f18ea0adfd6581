import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { inExchange } from '../exchange.ts';
import { readRoles } from '../read-roles.ts';
import { passwordAcr, secondFactorAcr } from '../../auth/index.ts';

const { Check, Prompt, base } = interactionPolicy;

/**
 * What has to be settled with the person before an authorization request is answered, in this order: who they
 * are, which account they mean, whether they have access to the application, and what they agree to.
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
  policy.add(createAccessPrompt(ctx), 2);
  return policy;
}

/**
 * @see OpenID Connect Core 1.0 §5.5.1.1, OpenID Connect Core Error Code unmet_authentication_requirements
 * 1.0
 */
function unmetAcr({ oidc }: KoaContextWithOIDC): boolean {
  const asked = (oidc.claims as { id_token?: { acr?: Record<string, unknown> } }).id_token?.acr;
  if (!asked?.['essential']) return interactionPolicy.Check.NO_NEED_TO_PROMPT;
  const { value, values } = asked;
  if (values !== undefined && !Array.isArray(values))
    throw new errors.InvalidRequest('claims.id_token.acr.values must be an array');
  const wanted = [...(values ?? []), ...(value === undefined ? [] : [value])];
  if (wanted.length === 0 || wanted.includes(passwordAcr)) return Check.NO_NEED_TO_PROMPT;
  throw new errors.UnmetAuthenticationRequirements('none of the requested acr values is available');
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
