import type { IncomingMessage } from 'node:http';
import { findAddresses, RefusedAddressError, type Resolve } from '../../../lib/find-addresses.ts';
import { sendRequest, untilAborted } from '../../../lib/send-request.ts';

export type WebhookRequest = { url: string; headers: Record<string, string>; body: string };

export type PostOptions = {
  timeoutMs: number;
  mayBeLoopback: boolean;
  /** Finds the addresses of a name; DNS unless said otherwise. */
  resolve?: Resolve;
};

/** What came of a request. `error` is for the administrators of the endpoint; null means that it arrived. */
export type PostOutcome = {
  statusCode: number | null;
  error: string | null;
  responseExcerpt: string | null;
  retryAfterSeconds: number | undefined;
  durationMs: number;
  /** Whether it took so long that others should not wait for this endpoint. */
  isSlow: boolean;
};

const excerptBytesMax = 1024;
/** Of the time that an endpoint has. */
const slowShare = 0.5;

/**
 * Sends one POST to an address that somebody else chose: over a connection of its own, to the very IP
 * addresses that were checked, following no redirect, reading little of the answer, within `timeoutMs` for
 * everything. Never rejects: 2xx is success, anything else an outcome with an error.
 * @see Standard Webhooks 1.0.0, Delivery success and failure
 */
export async function postWebhook(wanted: WebhookRequest, options: PostOptions): Promise<PostOutcome> {
  const startedAt = performance.now();
  const signal = AbortSignal.timeout(options.timeoutMs);
  const answer = await attempt(wanted, options, signal).catch((error: unknown) => ({
    statusCode: null,
    error: signal.aborted ? `No answer within ${options.timeoutMs / 1000} s` : explain(error),
    responseExcerpt: null,
    retryAfterSeconds: undefined,
  }));
  const durationMs = Math.round(performance.now() - startedAt);
  return { ...answer, durationMs, isSlow: durationMs > options.timeoutMs * slowShare };
}

type Attempted = Omit<PostOutcome, 'durationMs' | 'isSlow'>;

async function attempt(
  { url: address, headers, body }: WebhookRequest,
  options: PostOptions,
  signal: AbortSignal,
): Promise<Attempted> {
  const url = new URL(address);
  const addresses = await untilAborted(signal, findAddresses(url.hostname, { ...options, signal }));
  const response = await sendRequest(url, { method: 'POST', headers, body, addresses, signal });
  const statusCode = response.statusCode ?? 0;
  const hasArrived = statusCode >= 200 && statusCode < 300;
  // What an endpoint has accepted stays accepted, even if the rest of its answer never comes.
  const responseExcerpt = await untilAborted(signal, readExcerpt(response)).catch(() => null);
  return {
    statusCode,
    error: hasArrived ? null : `The endpoint answered ${statusCode}`,
    responseExcerpt,
    retryAfterSeconds: secondsOf(response.headers['retry-after']),
  };
}

/** The first part of the answer as text that PostgreSQL stores; the rest is not read. */
async function readExcerpt(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= excerptBytesMax) break;
  }
  response.destroy();
  return Buffer.concat(chunks)
    .subarray(0, excerptBytesMax)
    .toString('utf8')
    .replaceAll('\0', '')
    .toWellFormed();
}

/** Whole seconds only: a date would need the receiver's clock to be right. @see RFC 9110 §10.2.3 */
function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,7}$/.test(header) ? Number(header) : undefined;
}

const words: Record<string, string> = {
  ECONNREFUSED: 'Nobody listens there',
  ECONNRESET: 'The connection was cut off',
  ENOTFOUND: 'The name is unknown',
  EAI_AGAIN: 'The name could not be looked up',
  UPGRADE: 'The answer asks for another protocol',
  HPE_HEADER_OVERFLOW: 'The answer has too large headers',
};

/** In words without addresses: whoever chose the endpoint learns nothing of the network that we are in. */
function explain(error: unknown): string {
  if (error instanceof RefusedAddressError) return error.message;
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return 'The request failed';
  return words[code] ?? `The request failed (${code})`;
}
