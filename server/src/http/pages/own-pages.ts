import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DevicesPage } from '../../../../web/src/account-pages.ts';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { listRequests } from '../../domains/applications/index.ts';
import {
  describeDevice,
  listAccounts,
  listSessions,
  readOwnAccount,
  readOwnUser,
  revokeOtherSessions,
  revokeSession,
} from '../../domains/auth/index.ts';
import { csrfField, requireCsrfToken } from '../csrf.ts';
import { originOf } from '../origin.ts';
import { forPageCaller, forPageReader, peoplePath } from './page-caller.ts';
import { addPages } from './page-scope.ts';
import { reactPageRoute, sendReactPage } from './react-page.ts';
import { unlessGone } from './unless-gone.ts';

const accountPath = '/account';
const devicesPath = `${accountPath}/devices`;
const { schema } = reactPageRoute;
const querystring = Type.Object({ done: Type.Optional(Type.String({ maxLength: 20 })) });
const params = Type.Object({ id: Type.String({ format: 'uuid' }) });

/** Where a signed-in person finds all pages of their own, and the devices that they are signed in on. */
export function addOwnPages(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    pages.get(accountPath, { schema }, (request, reply) =>
      forPageReader(ctx, request, reply, {
        next: accountPath,
        work: (caller) => showAccount(ctx, reply, caller),
      }),
    );
    addDevicesPage(pages, ctx);
  });
}

async function showAccount(ctx: Ctx, reply: FastifyReply, caller: Caller): Promise<FastifyReply> {
  const { total: waitingCount } = await listRequests(ctx, caller, { limit: 1, offset: 0 });
  const { email, name, role } = await readOwnUser(ctx, caller);
  return sendReactPage(reply, {
    name: 'account',
    account: { email, name },
    isOwn: reply.request.looking === null,
    waitingCount,
    peopleUrl: role === 'admin' ? peoplePath : null,
    hasElsewhere: ctx.upstream.providers.length > 0 || (await listAccounts(ctx, caller)).length > 0,
    exportUrl: `${accountPath}/export`,
  });
}

function addDevicesPage(pages: App, ctx: Ctx): void {
  const next = devicesPath;
  const forCaller = (
    request: FastifyRequest,
    reply: FastifyReply,
    work: (caller: Caller) => Promise<FastifyReply>,
  ) => forPageCaller(ctx, request, reply, { next, work });
  const preHandler = requireCsrfToken(ctx);
  pages.get(devicesPath, { schema: { ...schema, querystring } }, (request, reply) =>
    forPageReader(ctx, request, reply, {
      next,
      work: (caller) => showDevices(ctx, request, reply, caller),
    }),
  );
  pages.post(`${devicesPath}/end-others`, { preHandler, schema }, (request, reply) =>
    forCaller(request, reply, async (caller) => {
      await revokeOtherSessions(ctx, caller, originOf(request));
      return reply.redirect(`${devicesPath}?done=others-ended`, 303);
    }),
  );
  pages.post(`${devicesPath}/:id/end`, { preHandler, schema: { ...schema, params } }, (request, reply) =>
    forCaller(request, reply, async (caller) => {
      await unlessGone(revokeSession(ctx, caller, request.params.id, originOf(request)));
      return reply.redirect(`${devicesPath}?done=device-ended`, 303);
    }),
  );
}

async function showDevices(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
): Promise<FastifyReply> {
  const hidden = csrfField(ctx, request, reply);
  const sessions = await listSessions(ctx, caller);
  const devices = sessions.map(({ id, deviceName, userAgent, current, ...rest }) => ({
    id,
    device: describeDevice(deviceName ?? undefined, userAgent),
    isImpersonated: rest.impersonated,
    ipAddress: rest.ipAddress,
    createdAt: rest.createdAt,
    lastUsedAt: rest.lastUsedAt,
    ending: current ? null : { action: `${devicesPath}/${id}/end`, hidden },
  }));
  const others = devices.filter(({ ending }) => ending !== null);
  const page: DevicesPage = {
    name: 'devices',
    account: await readOwnAccount(ctx, caller),
    devices: [...devices.filter(({ ending }) => ending === null), ...others],
    endingOthers: others.length > 0 ? { action: `${devicesPath}/end-others`, hidden } : null,
    done: doneOf((request.query as { done?: string }).done),
  };
  return sendReactPage(reply, page);
}

function doneOf(done: string | undefined): DevicesPage['done'] {
  return done === 'device-ended' || done === 'others-ended' ? done : null;
}
