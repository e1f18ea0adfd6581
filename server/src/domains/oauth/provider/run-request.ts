import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { ProviderHost } from './provider-host.ts';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { runExchange, type ExchangeOptions, type PageAnswer } from '../exchange.ts';

/** What a request is to the library, and what comes of it. */
type Ticket = { options: ExchangeOptions; answer?: PageAnswer; hasHeld: boolean };

const tickets = new WeakMap<IncomingMessage, Ticket>();

/**
 * Lets the library answer a request. Resolves once it has, or with the page that is to answer instead. By
 * then what the request did is committed, refusals included. When something that it had read did not hold
 * until then, nothing of it has happened, and it is answered once more, with what it needs locked.
 */
export async function runRequest(
  host: ProviderHost,
  newRequest: () => IncomingMessage,
  response: ServerResponse,
  options: ExchangeOptions,
): Promise<PageAnswer | undefined> {
  const headers = response.getHeaders();
  const optimistic = await answerOnce(host, newRequest(), response, { ...options, isOptimistic: true });
  if (optimistic.hasHeld) return optimistic.answer;
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) response.setHeader(name, value);
  return (await answerOnce(host, newRequest(), response, options)).answer;
}

async function answerOnce(
  host: ProviderHost,
  request: IncomingMessage,
  response: ServerResponse,
  options: ExchangeOptions,
): Promise<Ticket> {
  const ticket: Ticket = { options, hasHeld: true };
  tickets.set(request, ticket);
  await host.answer(request, response);
  return ticket;
}

type Middleware = Parameters<Provider['use']>[0];

/** The outermost step: one request, all of it or nothing. What went wrong on our side is undone. */
export function inTransaction(ctx: Ctx): Middleware {
  return async (context, next) => {
    const ticket = tickets.get(context.req);
    if (!ticket) throw new Error('a request did not come through runRequest');
    try {
      ticket.hasHeld = await runExchange(ctx, ticket.options, async (exchange) => {
        await next();
        if (exchange.answer) ticket.answer = exchange.answer;
        const status = exchange.answer?.status ?? context.status;
        // A refresh token that was spent for nothing is not spent: its application may ask again, rightly.
        const isSpentForNothing = exchange.rotation?.isConsumed === true && status !== 200;
        return status < 500 && !isSpentForNothing;
      });
      if (!ticket.hasHeld) context.respond = false;
    } catch (error) {
      const facts = { requestId: ticket.options.requestId };
      ctx.failureLog.write(ctx.log, { error, message: 'a request to the OAuth provider failed', facts });
      delete ticket.answer;
      context.respond = true;
      context.status = error instanceof AppError ? error.status : 500;
      context.body = { error: 'server_error', error_description: 'Something went wrong on our side.' };
    }
  };
}
