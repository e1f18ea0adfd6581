import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ctx } from '../ctx.ts';
import type { KeyHolder } from '../domains/api-keys/index.ts';
import { AppError } from '../errors.ts';
import { apiKeyPrefix, digestApiKey, isApiKey } from '../lib/api-key.ts';
import { countForHeaders } from './limits.ts';

const bearer = new RegExp(`^bearer +(${apiKeyPrefix}\\S*) *$`, 'i');

/**
 * The API key that a request brings, right or wrong: as the bearer token or as `X-API-Key`. One in the
 * address would stand in logs and histories, so it is refused. Throws `request.invalid`.
 */
export function readApiKey({ headers, originalUrl }: FastifyRequest): string | undefined {
  if (originalUrl.includes(apiKeyPrefix)) throw wrong('/query', 'must hold no API key: send it as a header');
  const given = headers['x-api-key'];
  if (given === undefined) return bearer.exec(headers.authorization ?? '')?.[1];
  if (typeof given !== 'string' || headers.authorization !== undefined) {
    throw wrong('/headers/x-api-key', 'must be the only credential');
  }
  return given;
}

/**
 * What a presented key stands for. Whether it still counts is asked by the SQL that does the work, so a key
 * that this process has seen costs no round trip. Addresses that try many wrong ones wait. Throws
 * `auth.key_invalid`, `request.rate_limited`.
 */
export async function authenticateApiKey(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  key: string,
): Promise<KeyHolder> {
  if (!isApiKey(key)) throw new AppError('auth.key_invalid', { extensions: { reason: 'malformed' } });
  const digest = digestApiKey(key);
  const holder = ctx.apiKeys.recall(digest) ?? (await identify(ctx, request, digest));
  if (holder.rateLimit !== null) {
    const use = await request.server.countKeyUse(digest.toString('base64url'));
    countForHeaders(request, reply, { name: 'api-key', max: holder.rateLimit, ...use });
  }
  ctx.apiKeys.noteUse(holder.keyId);
  return holder;
}

async function identify(ctx: Ctx, request: FastifyRequest, digest: Buffer): Promise<KeyHolder> {
  const { failures } = request.server;
  await failures.assertFew(request);
  const verdict = await ctx.apiKeys.verify({ digest, callerId: null });
  if (verdict.code === null) return ctx.apiKeys.remember(digest, verdict);
  await failures.count(request);
  throw new AppError('auth.key_invalid', { extensions: { reason: verdict.code } });
}

function wrong(path: string, message: string): AppError {
  return new AppError('request.invalid', { errors: [{ path, message }] });
}
