const timeoutMs = 5_000;
const bytesMax = 512 * 1024;

export type BoundedRequest = {
  method?: string;
  headers?: Headers | Record<string, string>;
  body?: URLSearchParams | string | null;
  signal?: AbortSignal | null | undefined;
  /** Asks in place of `fetch`. */
  fetch?: typeof fetch | undefined;
  /** How long everything may take, instead of 5 s. */
  timeoutMs?: number;
  /** The largest answer, instead of 512 KiB. */
  bodyBytesMax?: number;
};

/**
 * Asks an address that the operator or a server that they trust has named: within 5 s for everything, reading
 * 512 KiB at most, following no redirect. Rejects otherwise.
 */
export async function fetchBounded(url: string, request: BoundedRequest = {}): Promise<Response> {
  const { method = 'GET', headers = {}, body = null, signal, bodyBytesMax = bytesMax } = request;
  const timeout = AbortSignal.timeout(request.timeoutMs ?? timeoutMs);
  const response = await (request.fetch ?? fetch)(url, {
    method,
    headers,
    body,
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > bodyBytesMax) throw new TypeError('the answer is too large');
    chunks.push(chunk);
  }
  const answered = { status: response.status, headers: response.headers };
  return new Response(chunks.length === 0 ? null : Buffer.concat(chunks), answered);
}
