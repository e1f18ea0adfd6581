import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ctx } from '../../../ctx.ts';
import { csrfField } from '../../../http/csrf.ts';
import { sendReactPage } from '../../../http/pages/react-page.ts';
import { acrOf, type BrowserSignIn } from '../../auth/index.ts';
import type { ProviderHost } from '../provider/provider-host.ts';
import { buildPage, type PageRequest } from './build-page.ts';
import { endStep, findInteraction, type OpenInteraction } from './interaction.ts';

/** What every step needs. */
export type Step = { ctx: Ctx; host: ProviderHost };

export const otherAccountUrl = (uid: string) => `/interaction/${uid}?step=sign-in`;

/** Who signs in has chosen the account, too. Their session is another one now. */
export function goOn(
  ctx: Ctx,
  interaction: OpenInteraction['interaction'],
  { userId, amr }: Pick<BrowserSignIn, 'userId' | 'amr'>,
): Promise<string> {
  const login = { accountId: userId, amr, acr: acrOf(amr) };
  return endStep(ctx, interaction, { login, select_account: {} }, { forgetsSession: true });
}

/** The interaction that a request is about, see `findInteraction`. */
export function findOpen(
  { ctx, host }: Step,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<OpenInteraction | undefined> {
  const { uid } = request.params as { uid: string };
  return findInteraction(ctx, host.current(), { uid, request: request.raw, response: reply.raw });
}

/** Shows the step that an interaction has come to. */
export async function sendStep(
  { ctx }: Step,
  request: FastifyRequest,
  reply: FastifyReply,
  open: OpenInteraction,
  { status = 200, ...asked }: Omit<PageRequest, 'hidden'> & { status?: number },
): Promise<FastifyReply> {
  const page = await buildPage(ctx, open, { ...asked, hidden: csrfField(ctx, request, reply) });
  const redirectUri = open.interaction.params['redirect_uri'];
  return sendReactPage(reply, page, {
    status,
    ...(typeof redirectUri === 'string' ? { redirectUri } : {}),
  });
}

/** Says that there is nothing to go on with. */
export function sendOver(reply: FastifyReply): Promise<FastifyReply> {
  const page = { name: 'notice', kind: 'interaction-over', application: null, continueUrl: null } as const;
  return sendReactPage(reply, page, { status: 400 });
}
