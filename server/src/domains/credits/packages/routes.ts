import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { originOf } from '../../../http/origin.ts';
import { changePackage } from './change-package.ts';
import { createPackage } from './create-package.ts';
import { listManagedPackages, listPackageVersions } from './list-managed-packages.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['credits'], security: [{ bearer: [] }] };
const ofOne = ['auth.admin_required', 'request.not_found'] as const;

/** What is for sale, for administrators of the service. */
export function addPackageRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const createSchema = {
    ...common,
    summary: 'Put a package up for sale (administrators)',
    body: schemas.newPackageBodySchema,
    response: { 201: schemas.managedPackageSchema },
  };
  const createConfig = { refusals: ['auth.admin_required', 'payments.package_exists'] as const };
  const forNew = { preHandler, config: createConfig, schema: createSchema };
  app.post('/api/v1/credits/packages', forNew, async (request, reply) =>
    reply.code(201).send(await createPackage(ctx, callerOf(request), request.body, originOf(request))),
  );

  const changeSchema = {
    ...common,
    summary: 'Change a package, or take it off sale (administrators)',
    description: 'Makes the next version of it. Who has begun to buy it pays and gets what it was then.',
    params: schemas.packageParamsSchema,
    body: schemas.packageBodySchema,
    response: { 200: schemas.managedPackageSchema },
  };
  const forOne = { preHandler, config: { refusals: ofOne } };
  app.put('/api/v1/credits/packages/:packageId', { ...forOne, schema: changeSchema }, (request) =>
    changePackage(ctx, callerOf(request), { ...request.body, ...request.params }, originOf(request)),
  );
  addListRoutes(app, ctx);
}

function addListRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const listSchema = {
    ...common,
    summary: 'List all packages (administrators)',
    description: 'Those that are not for sale included.',
    response: { 200: Type.Array(schemas.managedPackageSchema) },
  };
  const forAll = { preHandler, config: { refusals: ['auth.admin_required'] as const }, schema: listSchema };
  app.get('/api/v1/credits/packages/all', forAll, (request) => listManagedPackages(ctx, callerOf(request)));

  const versionsSchema = {
    ...common,
    summary: 'List the versions of a package (administrators)',
    description: 'The youngest first.',
    params: schemas.packageParamsSchema,
    response: { 200: Type.Array(schemas.packageVersionSchema) },
  };
  const forVersions = { preHandler, config: { refusals: ofOne }, schema: versionsSchema };
  app.get('/api/v1/credits/packages/:packageId/versions', forVersions, (request) =>
    listPackageVersions(ctx, callerOf(request), request.params.packageId),
  );
}
