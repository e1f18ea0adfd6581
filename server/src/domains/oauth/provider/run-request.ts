import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { runExchange, type ExchangeOptions, type PageAnswer } from '../exchange.ts';

/** What a request is to the library, and what comes of it. */
type Ticket = { options: ExchangeOptions; answer?: PageAnswer };

const tickets = new WeakMap<IncomingMessage, Ticket>();

/**
 * Lets the library answer a request. Resolves once it has, or with the page that is to answer instead. By
 * then the transaction of the request has ended: it is committed before anything is answered, refusals
 * included.
 */
export async function runRequest(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  options: ExchangeOptions,
): Promise<PageAnswer | undefined> {
  const ticket: Ticket = { options };
  tickets.set(request, ticket);
  await provider.callback()(request, response);
  return ticket.answer;
}

type Middleware = Parameters<Provider['use']>[0];

/** The outermost step: one request, one transaction. What went wrong on our side is rolled back. */
export function inTransaction(ctx: Ctx): Middleware {
  return async (context, next) => {
    const ticket = tickets.get(context.req);
    if (!ticket) throw new Error('a request did not come through runRequest');
    try {
      await runExchange(ctx, ticket.options, async (exchange) => {
        await next();
        if (exchange.answer) ticket.answer = exchange.answer;
        const status = exchange.answer?.status ?? context.status;
        // A refresh token that was spent for nothing is not spent: its application may ask again, rightly.
        const isSpentForNothing = exchange.rotation?.isConsumed === true && status !== 200;
        return status < 500 && !isSpentForNothing;
      });
    } catch (error) {
      ctx.log.error({ err: error }, 'a request to the OAuth provider failed');
      delete ticket.answer;
      context.respond = true;
      context.status = error instanceof AppError ? error.status : 500;
      context.body = { error: 'server_error', error_description: 'Something went wrong on our side.' };
    }
  };
}
