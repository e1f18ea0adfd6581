import type { IncomingMessage } from 'node:http';
import { findAddresses, type Resolve } from '../../lib/find-addresses.ts';
import { sendRequest, untilAborted } from '../../lib/send-request.ts';

export type FetchLimits = {
  /** Whether addresses of this machine are asked, also without TLS: where one develops. */
  mayBeLoopback: boolean;
  /** Finds the addresses of a name; DNS unless said otherwise. */
  resolve?: Resolve | undefined;
};

const timeoutMs = 5_000;
const bodyBytesMax = 65_536;

export type SafeRequest = {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
};

/**
 * Asks an address that somebody else chose, such as where a client keeps its keys: over TLS, at the very IP
 * addresses that were checked, following no redirect, reading 64 KiB at most, within 5 s for everything.
 * Rejects otherwise. @see OWASP Server-Side Request Forgery Prevention
 */
export async function fetchSafely(
  address: string,
  { method = 'GET', headers = {}, body }: SafeRequest,
  limits: FetchLimits,
): Promise<Response> {
  const url = new URL(address);
  if (url.protocol !== 'https:' && !limits.mayBeLoopback) throw new Error('only https is asked');
  const signal = AbortSignal.timeout(timeoutMs);
  const addresses = await untilAborted(signal, findAddresses(url.hostname, { ...limits, signal }));
  const message = await sendRequest(url, { method, headers, body, addresses, signal });
  return untilAborted(signal, toResponse(message));
}

async function toResponse(message: IncomingMessage): Promise<Response> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bodyBytesMax) {
      message.destroy();
      throw new Error('the answer is too large');
    }
    chunks.push(chunk);
  }
  const status = message.statusCode ?? 0;
  if (status < 200 || status > 599) throw new Error('the answer has no usable status');
  const isEmpty = status === 204 || status === 205 || status === 304;
  return new Response(isEmpty ? null : Buffer.concat(chunks), { status, headers: headersOf(message) });
}

function headersOf(message: IncomingMessage): [string, string][] {
  return Object.entries(message.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, [value].flat().join(', ')] as [string, string]],
  );
}
