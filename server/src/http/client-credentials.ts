import type { FastifyRequest } from 'fastify';
import type { Ctx } from '../ctx.ts';
import type { AuthenticatedApplication } from '../domains/applications/index.ts';
import { AppError } from '../errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The application that asks with its own credentials, on a route that takes them. */
    application?: AuthenticatedApplication;
  }
}

/** Whether the request brings credentials of an application; the scheme is case-insensitive. */
export function hasClientCredentials(request: FastifyRequest): boolean {
  return /^basic(\s|$)/i.test(request.headers.authorization ?? '');
}

/**
 * The application whose client id and secret the request brings. An address that fails too often is refused
 * before the database is asked; credentials that passed before are let through. Throws
 * `auth.application_invalid`, `request.rate_limited`.
 * @see RFC 6749 §2.3.1
 */
export async function authenticateApplication(
  ctx: Ctx,
  request: FastifyRequest,
): Promise<AuthenticatedApplication> {
  const { failures } = request.server;
  const credentials = readCredentials(request.headers.authorization);
  const known = credentials && ctx.applications.recall(credentials);
  if (known) return known;
  await failures.assertFew(request);
  const application = credentials && (await ctx.applications.verify(credentials));
  if (application) return application;
  await failures.count(request);
  throw new AppError('auth.application_invalid', { headers: challenge });
}

const challenge = { 'www-authenticate': 'Basic realm="Obol", charset="UTF-8"' };
/** PostgreSQL stores neither, so no application has them. */
const unstorable = /\0|[\ud800-\udfff]/u;

/**
 * Client id and secret are form-encoded before they are put together, so that they may hold a colon. @see RFC
 * 6749 §2.3.1, RFC 7617 §2
 */
function readCredentials(header: string | undefined) {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '')?.[1];
  const [, id, secret] = /^([^:]*):([^:]*)$/.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? [];
  const [clientId, clientSecret] = [formDecode(id), formDecode(secret)];
  if (!clientId || !clientSecret || unstorable.test(clientId)) return undefined;
  return { clientId, clientSecret };
}

/** Undefined when it is not form-encoded. @see RFC 6749 Appendix B */
function formDecode(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
