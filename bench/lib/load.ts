import { fork } from 'node:child_process';
import { join } from 'node:path';

/** A load: every connection sends its next request as soon as the last one was answered. */
export type Load = {
  port: number;
  connections: number;
  seconds: number;
  /** Complete HTTP/1.1 requests; connection c sends c, c + connections, … and starts over at the end. */
  requests: string[];
  /** Sends so many a second at most, of all connections together, whenever the answers come. */
  perSecond?: number;
};

export type LoadResult = {
  requestsPerSecond: number;
  /** Milliseconds. */
  p50Ms: number;
  p99Ms: number;
  /** Answers by status code. */
  statuses: Record<string, number>;
};

/**
 * Sends a load from a process of its own, so that the service's event loop is not shared. Rejects when no
 * answer was a success: a benchmark of refusals is none.
 */
export function sendLoad(load: Load): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'load-worker.ts'));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load generator ended with code ${code}`)));
    child.once('message', (message) => {
      const result = message as LoadResult;
      child.removeAllListeners('exit');
      child.kill();
      if (result.statuses['200']) resolve(result);
      else reject(new Error(`no request succeeded: ${JSON.stringify(result.statuses)}`));
    });
    child.send(load);
  });
}

/** The text of an HTTP/1.1 request with an optional JSON body. */
export function requestText(
  method: string,
  path: string,
  options: { token?: string; body?: unknown } = {},
): string {
  const body = options.body === undefined ? '' : JSON.stringify(options.body);
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: keep-alive'];
  if (options.token) lines.push(`Authorization: Bearer ${options.token}`);
  if (body) lines.push('Content-Type: application/json');
  if (body || method !== 'GET') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
