import type { FastifyRequest } from 'fastify';
import type { Ctx } from '../ctx.ts';
import type { AuthenticatedApplication } from '../domains/applications/index.ts';
import { AppError } from '../errors.ts';
import { readBasicCredentials } from '../lib/basic-credentials.ts';

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
  const credentials = readBasicCredentials(request.headers.authorization);
  const known = credentials && ctx.applications.recall(credentials);
  if (known) return known;
  await failures.assertFew(request);
  const application = credentials && (await ctx.applications.verify(credentials));
  if (application) return application;
  await failures.count(request);
  throw new AppError('auth.application_invalid', { headers: challenge });
}

const challenge = { 'www-authenticate': 'Basic realm="Obol", charset="UTF-8"' };
