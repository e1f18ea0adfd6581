import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ctx } from '../ctx.ts';
import type { Caller } from '../db/index.ts';
import { AppError } from '../errors.ts';

/** Who a verified access token speaks for. Whether the session still lives is asked by the SQL that does the work. */
export type AuthenticatedCaller = Caller & {
  email: string;
  role: 'user' | 'admin';
  clientId?: string;
  scope?: string;
};

declare module 'fastify' {
  interface FastifyRequest {
    caller?: AuthenticatedCaller;
  }
}

/** A preHandler that requires a valid access token. Throws `auth.required` or `auth.token_invalid`. */
export function authenticate(ctx: Ctx): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request) => {
    const token = bearerToken(request.headers.authorization);
    if (!token) throw new AppError('auth.required', { headers: { 'www-authenticate': 'Bearer' } });
    const claims = await ctx.keys.verifyAccessToken(token);
    request.caller = {
      userId: claims.sub,
      sessionId: claims.sid,
      email: claims.email,
      role: claims.role,
      ...(claims.client_id ? { clientId: claims.client_id } : {}),
      ...(claims.scope ? { scope: claims.scope } : {}),
    };
  };
}

/** The caller of a route that `authenticate` guards. */
export function callerOf(request: FastifyRequest): AuthenticatedCaller {
  if (!request.caller) throw new Error(`${request.url} is not guarded by authenticate`);
  return request.caller;
}

/** The token of an `Authorization: Bearer` header; the scheme is case-insensitive. @see RFC 6750 §2.1, RFC 9110 §11.1 */
function bearerToken(header: string | undefined): string | undefined {
  return /^bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(header ?? '')?.[1];
}
