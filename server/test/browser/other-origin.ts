import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

export type OtherOrigin = {
  /** Such as `http://localhost:40123`: for CORS_ORIGINS and redirect URIs. */
  origin: string;
  /** The paths with their queries that were asked for, oldest first. */
  visits: string[];
  /** Serves HTML at a path, or JavaScript where the path ends in `.js`; also after it was asked for. */
  serve(path: string, body: string): void;
};

/**
 * A web site of somebody else, for the tests of a file: `http://localhost` with a port of its own, so that a
 * service at `http://127.0.0.1` is another site to it, and it is a secure context with `crypto.subtle`.
 * `host` may be another name that leads to this machine, such as `app.localhost` or one under `.test`. A path
 * that nothing was served at answers an empty page.
 */
export async function openOtherOrigin({ host = 'localhost' } = {}): Promise<OtherOrigin> {
  const bodies = new Map<string, string>();
  const visits: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
    visits.push(`${pathname}${search}`);
    const type = pathname.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.setHeader('content-type', `${type}; charset=utf-8`);
    response.end(bodies.get(pathname) ?? '<!doctype html><title>Elsewhere</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://${host}:${port}`, visits, serve: (path, body) => void bodies.set(path, body) };
}
