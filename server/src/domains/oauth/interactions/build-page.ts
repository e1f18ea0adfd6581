import { sql } from 'drizzle-orm';
import type { Interaction } from 'oidc-provider';
import type { AccountView, Form, Page, Problem, ScopeView } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Application } from '../../applications/index.ts';
import { challengeView } from '../../auth/index.ts';
import { beginPasswordless } from '../../auth/index.ts';
import { findUser } from '../../users/index.ts';
import { toApplicationView } from '../application-view.ts';
import { scopesOfClaims } from '../scopes.ts';
import { findMandate, requestedBudget, toBudgetView } from './budget.ts';
import { buildFactorPage } from './second-factor/build-factor-page.ts';
import { readRequested, type OpenInteraction, type Requested } from './interaction.ts';
import { providersOf } from './providers-of.ts';

export type PageRequest = {
  /** The hidden fields of every form. */
  hidden: Record<string, string>;
  problem?: Problem | null | undefined;
  /** What was typed in the try before. */
  typed?: Record<string, string | undefined>;
  /** The step to show instead of the one that is due: signing in as somebody else, or registering. */
  instead?: 'sign-in' | 'register' | undefined;
};

/** The page of the step that an interaction has come to. */
export async function buildPage(ctx: Ctx, open: OpenInteraction, request: PageRequest): Promise<Page> {
  const { interaction, application } = open;
  if (request.instead === 'register') return registerPage(ctx, open, request);
  const account = request.instead ? undefined : await readAccount(ctx, interaction);
  const isSignIn = request.instead === 'sign-in' || interaction.prompt.name === 'login';
  if (isSignIn || !account) return signInPage(ctx, open, request, account);
  switch (interaction.prompt.name) {
    case 'select_account': {
      const form = formOf(interaction, 'choose-account', request);
      return { name: 'choose-account', form, application: viewOf(open), account };
    }
    case 'second_factor':
      return buildFactorPage(ctx, open, request);
    case 'access':
      return accessPage(ctx, open, request, account);
    case 'consent':
      return consentPage(ctx, open, request, account);
    default:
      throw new Error(`no page for the prompt ${interaction.prompt.name} of ${application.clientId}`);
  }
}

const viewOf = ({ interaction, application }: OpenInteraction) =>
  toApplicationView(application, interaction.params['redirect_uri']);

function formOf(interaction: Interaction, step: string, { hidden }: PageRequest): Form {
  return { action: `/interaction/${interaction.uid}/${step}`, hidden };
}

async function signInPage(
  ctx: Ctx,
  open: OpenInteraction,
  request: PageRequest,
  account: AccountView | undefined,
): Promise<Page> {
  const { interaction } = open;
  const hint = interaction.params['login_hint'];
  const given = typeof hint === 'string' ? hint.slice(0, 254) : '';
  const form = formOf(interaction, 'sign-in', request);
  return {
    name: 'sign-in',
    form,
    passkey: { form, options: await beginPasswordless(ctx) },
    application: viewOf(open),
    email: request.typed?.['email'] ?? account?.email ?? given,
    reason: account ? 'again' : 'first',
    registerUrl: `/interaction/${interaction.uid}?step=register`,
    forgotPasswordUrl: '/forgot-password',
    providers: providersOf(ctx, `/interaction/${interaction.uid}`),
    canCancel: true,
    problem: request.problem ?? null,
  };
}

function registerPage(ctx: Ctx, open: OpenInteraction, request: PageRequest): Page {
  const { interaction } = open;
  return {
    name: 'register',
    form: formOf(interaction, 'register', request),
    application: viewOf(open),
    email: request.typed?.['email'] ?? '',
    typedName: request.typed?.['name'] ?? '',
    signInUrl: `/interaction/${interaction.uid}?step=sign-in`,
    challenge: challengeView(ctx),
    providers: providersOf(ctx, `/interaction/${interaction.uid}`),
    problem: request.problem ?? null,
  };
}

async function accessPage(
  ctx: Ctx,
  open: OpenInteraction,
  request: PageRequest,
  account: AccountView,
): Promise<Page> {
  const userId = open.interaction.session?.accountId ?? '';
  const last = await readLastRequest(ctx, open.application, userId);
  return {
    name: 'request-access',
    form: formOf(open.interaction, 'request-access', request),
    application: viewOf(open),
    account,
    state: last?.status === 'pending' || last?.status === 'denied' ? last.status : 'none',
    reason: last?.status === 'denied' ? last.reason : null,
    message: request.typed?.['message'] ?? '',
    problem: request.problem ?? null,
  };
}

async function consentPage(
  ctx: Ctx,
  open: OpenInteraction,
  request: PageRequest,
  account: AccountView,
): Promise<Page> {
  const { interaction, application } = open;
  const requested = await readRequested(ctx, interaction);
  const asked = requestedBudget(interaction);
  const owner = { userId: interaction.session?.accountId ?? '', clientId: application.clientId };
  const mandate = asked && (await ctx.db.asService((tx) => findMandate(ctx, tx, owner)));
  return {
    name: 'consent',
    form: formOf(interaction, 'consent', request),
    application: viewOf(open),
    account,
    scopes: toScopeViews(requested, interaction),
    budget: asked ? toBudgetView(ctx, asked, mandate, request.typed) : null,
    resources: requested.resources
      .map(({ resource }) => resource)
      .filter((name) => name !== ctx.config.baseUrl),
    problem: request.problem ?? null,
  };
}

/** What is asked for, in scopes: a claim asked for by name is said in the words of its scope. */
function toScopeViews({ scopes, claims }: Requested, { prompt }: Interaction): ScopeView[] {
  const {
    missingOIDCScope = [],
    missingOIDCClaims = [],
    missingResourceScopes = {},
  } = prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  const missing = new Set([
    ...missingOIDCScope,
    ...scopesOfClaims(missingOIDCClaims),
    ...Object.values(missingResourceScopes).flat(),
  ]);
  const names = new Set([...scopes, ...scopesOfClaims(claims)]);
  return [...names].map((name) => ({ name, isNew: missing.has(name) }));
}

async function readAccount(ctx: Ctx, { session }: Interaction): Promise<AccountView | undefined> {
  const userId = session?.accountId;
  const user = userId && (await ctx.db.asService((tx) => findUser(tx, userId)));
  return user ? { email: user.email, name: user.name } : undefined;
}

type LastRequest = { status: string; reason: string | null };

async function readLastRequest(
  ctx: Ctx,
  { id }: Application,
  userId: string,
): Promise<LastRequest | undefined> {
  const { rows } = await ctx.db.asService((tx) =>
    tx.execute<LastRequest>(sql`
      select status, decided_reason as reason from apps.access_requests
       where application_id = ${id} and user_id = ${userId}
       order by created_at desc, id desc limit 1`),
  );
  return rows[0];
}
