import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pinnedLookup, type Address } from './find-addresses.ts';

export type OutgoingRequest = {
  method: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** Where it goes, whatever the name in the URL leads to. */
  addresses: Address[];
  /** Ends the request, and the reading of its answer. */
  signal: AbortSignal;
};

const headersBytesMax = 16_384;

/**
 * Sends a request over a connection of its own and resolves with the beginning of the answer, following no
 * redirect. Rejects for anything else that becomes of the connection, and when the signal ends it: it settles
 * whatever the other side does.
 */
export async function sendRequest(
  url: URL,
  { method, headers, body, addresses, signal }: OutgoingRequest,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    method,
    agent: false,
    headers: { ...headers, ...length },
    lookup: pinnedLookup(addresses),
    maxHeaderSize: headersBytesMax,
    signal,
  });
  request
    .on('response', resolve)
    .on('error', reject)
    // An answer 101. Without a listener the connection would be dropped, and nobody told but by `close`.
    .on('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(failure('UPGRADE', 'the answer asks for another protocol'));
    })
    .on('close', () => reject(failure('ECONNRESET', 'the connection ended without an answer')))
    .end(body);
  return untilAborted(signal, promise);
}

/** Waits for work until the signal ends it; work that cannot be interrupted is no longer waited for. */
export async function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
