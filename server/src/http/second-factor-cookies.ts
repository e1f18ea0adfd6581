import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A secret that this browser keeps for a while; without a value it is removed. */
export type KeptSecret = { value: string; ttlSeconds: number };

const challengeName = '__Host-obol_challenge';
const rememberedName = '__Host-obol_remembered';
const none: KeptSecret = { value: '', ttlSeconds: 0 };

/** Keeps the sign-in of this browser that waits for its second factor. */
export function sendChallengeCookie(reply: FastifyReply, challenge: KeptSecret = none): void {
  send(reply, challengeName, challenge);
}

/** The sign-in of this browser that waits for its second factor, if one does. */
export function readChallengeCookie(request: FastifyRequest): string {
  return request.cookies[challengeName] ?? '';
}

/** Keeps what lets this browser sign in without the second factor for a while. */
export function sendRememberedCookie(reply: FastifyReply, device: KeptSecret): void {
  send(reply, rememberedName, device);
}

/** What a browser keeps that is remembered. */
export function readRememberedCookie(request: FastifyRequest): string | undefined {
  return request.cookies[rememberedName];
}

function send(reply: FastifyReply, name: string, { value, ttlSeconds }: KeptSecret): void {
  const common = { path: '/', httpOnly: true, secure: true, sameSite: 'lax' } as const;
  reply.setCookie(name, value, { ...common, maxAge: ttlSeconds });
}
