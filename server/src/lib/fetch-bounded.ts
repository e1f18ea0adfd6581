const timeoutMs = 5_000;
const bodyBytesMax = 512 * 1024;

export type BoundedRequest = {
  method?: string;
  headers?: Headers | Record<string, string>;
  body?: URLSearchParams | string | null;
  signal?: AbortSignal | null | undefined;
};

/**
 * Asks an address that the operator or a server that they trust has named: within 5 s for everything, reading
 * 512 KiB at most, following no redirect. Rejects otherwise.
 */
export async function fetchBounded(
  url: string,
  { method = 'GET', headers = {}, body = null, signal }: BoundedRequest = {},
): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, {
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
