import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';

/** Exchanges a token for one that another API takes. @see RFC 8693 */
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

const parameters = [
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'audience',
  'resource',
  'scope',
];

/** Adds the exchange of tokens, which the library does not have; refused where no policy allows it. */
export function registerTokenExchange(ctx: Ctx, provider: Provider): void {
  const exchange = async (_context: KoaContextWithOIDC): Promise<void> => {
    ctx.log.debug('token exchange');
    throw new errors.InvalidRequest('not allowed');
  };
  provider.registerGrantType(tokenExchange, exchange, parameters, ['audience', 'resource']);
}
