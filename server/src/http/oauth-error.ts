import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, errorTable } from '../errors.ts';

/**
 * The error handler of the OAuth endpoints, for what goes wrong before the library is asked: too many
 * requests, too large a body. @see RFC 6749 §5.2
 */
export function answerInOauthForm(
  error: FastifyError | AppError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const refusal = error instanceof AppError ? error : undefined;
  const status = error instanceof AppError ? error.status : (error.statusCode ?? 500);
  if (status >= 500) {
    const facts = { method: request.method, route: request.routeOptions.url };
    request.server.failureLog.write(request.log, { error, message: 'an OAuth endpoint failed', facts });
  }
  const description = refusal ? errorTable[refusal.code].title : undefined;
  return reply
    .code(status)
    .headers(refusal?.options.headers ?? {})
    .header('cache-control', 'no-store')
    .send({
      error: codeOf(status),
      ...(description === undefined ? {} : { error_description: description }),
    });
}

function codeOf(status: number): string {
  if (status === 429 || status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}
