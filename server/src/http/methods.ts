import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import { AppError } from '../errors.ts';

type Known = { pattern: RegExp; methods: Set<string> };

/** Which methods an address answers to, known from the routes that were added. */
export type MethodTable = { allowed(path: string): string[] };

/** Remembers every route from now on. Must be called before the routes are added. */
export function createMethodTable(app: App): MethodTable {
  const known = new Map<string, Known>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return;
    const entry = known.get(url) ?? { pattern: patternOf(url), methods: new Set(['OPTIONS']) };
    for (const one of [method].flat()) entry.methods.add(one.toUpperCase());
    known.set(url, entry);
  });
  return {
    allowed(path) {
      const matches = [...known.values()].filter(({ pattern }) => pattern.test(path));
      return [...new Set(matches.flatMap(({ methods }) => [...methods]))].sort();
    },
  };
}

/**
 * Answers `OPTIONS` with the methods of the address. Leaves a preflight that CORS allows to CORS.
 * @see RFC 9110 §9.3.7
 */
export function installOptions(
  app: App,
  table: MethodTable,
  isAllowed: (request: FastifyRequest) => boolean,
): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (request.method !== 'OPTIONS') return done();
    const methods = table.allowed(pathOf(request));
    if (methods.length === 0) throw new AppError('request.not_found');
    reply.header('allow', methods.join(', '));
    const isPreflight = request.headers['access-control-request-method'] !== undefined;
    if (isPreflight && isAllowed(request)) return done();
    void reply.code(204).send();
  });
}

/**
 * Refuses what no route answers before its body is read: `request.method_not_allowed` with `Allow` when the
 * address exists, else `request.not_found`. @see RFC 9110 §15.5.6
 */
export function installNotFound(app: App, table: MethodTable): void {
  const refuse = (request: FastifyRequest): AppError => {
    const methods = table.allowed(pathOf(request));
    return methods.length === 0 || methods.includes(request.method)
      ? new AppError('request.not_found')
      : new AppError('request.method_not_allowed', { headers: { allow: methods.join(', ') } });
  };
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.is404) throw refuse(request);
    done();
  });
  app.setNotFoundHandler((request: FastifyRequest, _reply: FastifyReply) => {
    throw refuse(request);
  });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0] ?? '';
}

/** `/users/:id/*` as a regular expression; a trailing slash is ignored, as the router does. */
function patternOf(url: string): RegExp {
  const parts = url.replace(/\/$/, '').split('/');
  const source = parts.map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${source.join('/')}/?$`);
}
