import { Provider } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { findSecret } from '../../applications/index.ts';
import { currentExchange } from '../exchange.ts';
import type { ProviderOptions } from '../stores/adapter-factory.ts';
import { spendRefreshToken } from '../stores/refresh-token-store.ts';
import { readSecretsOf } from '../opening.ts';
import { configureProvider } from './configure-provider.ts';
import { inTransaction } from './run-request.ts';
import { registerTokenExchange } from './token-exchange.ts';

/** The certified library on our tables, pages and keys. Knows the keys of the moment it is built. */
export function createProvider(ctx: Ctx, options: ProviderOptions): Provider {
  const provider = new Provider(ctx.config.baseUrl, configureProvider(ctx, options));
  compareSecretsByDigest(ctx, provider);
  registerTokenExchange(ctx, provider);
  provider.use(inTransaction(ctx));
  provider.use(standBehindIssuer(ctx));
  provider.use(answerLostRaces(ctx));
  provider.on('server_error', (_context, error) => {
    const facts = { requestId: currentExchange()?.requestId };
    ctx.failureLog.write(ctx.log, { error, message: 'the OAuth provider failed', facts });
  });
  return provider;
}

/** Secrets are stored as digests, several at once during a rotation. */
function compareSecretsByDigest(ctx: Ctx, provider: Provider): void {
  provider.Client.prototype.compareClientSecret = async function compare(this: { clientId: string }, secret) {
    if (typeof secret !== 'string') return false;
    const { clientId } = this;
    const exchange = currentExchange();
    const client = exchange?.known.client;
    if (client?.application.clientId === clientId) return findSecret(client.secrets, secret) !== undefined;
    // Who has a connection does not wait for another one.
    if (exchange?.hasBegun())
      return findSecret(await readSecretsOf(ctx, exchange, clientId), secret) !== undefined;
    return (await ctx.applications.verify({ clientId, clientSecret: secret })) !== undefined;
  };
}

type Middleware = Parameters<Provider['use']>[0];

/** Addresses are those of the issuer, whatever the request calls us; cookies are always secure. */
function standBehindIssuer({ config }: Ctx): Middleware {
  return async (context, next) => {
    Object.defineProperties(context, {
      href: { get: () => new URL(context.req.url ?? '/', config.baseUrl).href },
      secure: { value: true },
    });
    context.cookies.secure = true;
    context.set('content-security-policy', formPolicy);
    await next();
  };
}

/** For the forms that the library writes, which send themselves; it adds the hash of its script. */
const formPolicy = "default-src 'none';script-src;frame-ancestors 'none';base-uri 'none'";

/** Keeps the answer to a refresh for those who lost the race for it, and gives it to them. */
function answerLostRaces(ctx: Ctx): Middleware {
  return async (context, next) => {
    await next();
    const exchange = currentExchange();
    const rotation = exchange?.rotation;
    if (!exchange || !rotation || exchange.endpoint !== 'token') return;
    if (context.status === 200) {
      spendRefreshToken(ctx, exchange, context.body);
    } else if (exchange.isAnsweredEarlier) {
      context.status = 200;
      context.body = rotation.earlierAnswer;
    }
  };
}
