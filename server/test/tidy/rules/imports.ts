import { domainOf, isTableFile, isTest } from '../paths.ts';
import type { Finding, Import, Module, Repository, Rule } from '../repository.ts';

/**
 * The order of the domains: one may import those of a lower level only. Equal levels do not know each other.
 */
const levels: Record<string, number> = {
  audit: 0,
  users: 1,
  credits: 2,
  auth: 3,
  applications: 4,
  oauth: 5,
  'api-keys': 5,
  payments: 6,
  webhooks: 6,
  privacy: 7,
};

const domainsDir = 'server/src/domains/';
const driver = /^(pg|postgres|drizzle-orm\/(node-postgres|postgres-js|pg-proxy|pglite))(\/|$)/;
const fastify = /^(fastify|fastify-plugin|@fastify\/.*|@scalar\/fastify-.*)$/;
/** May know the driver besides db/: tools and tests, which look at the database from outside. */
const driverUsers = /^server\/src\/(db|cli|reference)\/|^server\/test\/|\.test\.ts$|^bench\/|^scripts\//;
const fastifyUsers =
  /\/(routes|schemas)\.ts$|^server\/src\/(http\/|app\.ts$)|^server\/test\/|\.test\.ts$|^bench\//;

export const importRules: Rule[] = [
  {
    name: 'a domain is entered through its index.ts only',
    why: 'what stands behind the door can change without reading the callers',
    check: (repository) =>
      findImports(repository, (module, found) => entersByTheWindow(module.path, found.target)),
  },
  {
    name: 'domains import one way only',
    why: 'a change in payments cannot break sign-in, and no feature needs two half-made domains',
    check: (repository) => findImports(repository, (module, found) => breaksOrder(module.path, found.target)),
  },
  {
    name: 'only db/ knows the driver',
    why: 'every statement passes the one door that sets the row-level-security context',
    check: (repository) =>
      findImports(repository, (module, found) =>
        driver.test(found.specifier) && !driverUsers.test(module.path)
          ? `imports ${found.specifier}`
          : undefined,
      ),
  },
  {
    name: 'only routes.ts, schemas.ts, http/ and app.ts know Fastify',
    why: 'a use case can be called from a route, a job and the command line alike',
    check: (repository) =>
      findImports(repository, (module, found) =>
        fastify.test(found.specifier) && !fastifyUsers.test(module.path)
          ? `imports ${found.specifier}`
          : undefined,
      ),
  },
  {
    name: 'lib/ imports nothing of ours but types, and db/ no domain',
    why: 'a leaf that anybody may use must not drag anything along',
    check: (repository) => findImports(repository, leafImports),
  },
  {
    name: 'the service and the pages share types only',
    why: 'the pages are built, and run in browsers; the service reads what was built',
    check: (repository) => findImports(repository, crossesToPages),
  },
];

function findImports(
  { modules }: Repository,
  judge: (module: Module, found: Import) => string | undefined,
): Finding[] {
  return modules.flatMap((module) =>
    module.imports.flatMap((found) => {
      const message = judge(module, found);
      return message ? [{ path: module.path, line: found.line, message }] : [];
    }),
  );
}

function entersByTheWindow(path: string, target: string | undefined): string | undefined {
  const from = domainOf(path);
  const to = domainOf(target);
  if (!to || to.domain === from?.domain || to.file === 'index.ts') return undefined;
  if (isTableFile(target) && (isTableFile(path) || path.startsWith('server/test/'))) return undefined;
  return `imports ${domainsDir}${to.domain}/${to.file}, not its index.ts`;
}

function breaksOrder(path: string, target: string | undefined): string | undefined {
  const from = domainOf(path);
  const to = domainOf(target);
  if (!from || !to || from.domain === to.domain || isTest(path)) return undefined;
  const [fromLevel, toLevel] = [levels[from.domain], levels[to.domain]];
  if (fromLevel === undefined || toLevel === undefined) {
    return `${from.domain} → ${to.domain}: a domain has no place in the order yet`;
  }
  return toLevel < fromLevel ? undefined : `${from.domain} must not import ${to.domain}`;
}

function crossesToPages(module: Module, { target, typeOnly }: Import): string | undefined {
  if (target === undefined) return undefined;
  if (module.path.startsWith('web/') && !target.startsWith('web/')) return `a page imports ${target}`;
  const isCode = module.path.startsWith('server/') && target.startsWith('web/') && !typeOnly;
  return isCode ? `the service imports ${target}` : undefined;
}

function leafImports(module: Module, { target, typeOnly }: Import): string | undefined {
  if (target === undefined || isTest(module.path)) return undefined;
  if (module.path.startsWith('server/src/lib/') && !typeOnly && !target.startsWith('server/src/lib/')) {
    return `a leaf imports ${target}`;
  }
  if (module.path.startsWith('server/src/db/') && /^server\/src\/(domains|http)\//.test(target)) {
    return `db/ imports ${target}`;
  }
  return undefined;
}
