import type { FastifyRequest } from 'fastify';
import type { RequestOrigin } from '../domains/audit/index.ts';
import { readDeviceCookie } from './device-cookie.ts';

const userAgentCharactersMax = 512;

/**
 * The client's address (X-Forwarded-For counts only from TRUST_PROXY) and its user agent, cut to a sane
 * length.
 */
export function originOf(request: FastifyRequest): RequestOrigin {
  return {
    ipAddress: request.ip.replace(/^::ffff:(?=\d+\.)/, ''),
    userAgent: request.headers['user-agent']?.slice(0, userAgentCharactersMax) ?? null,
  };
}

/** The same of a sign-in, with what the browser is recognised by. */
export function signInOriginOf(request: FastifyRequest): RequestOrigin {
  const deviceCookie = readDeviceCookie(request);
  return { ...originOf(request), ...(deviceCookie === undefined ? {} : { deviceCookie }) };
}
