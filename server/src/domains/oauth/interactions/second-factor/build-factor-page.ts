import type { Page } from '../../../../../../web/src/page.ts';
import type { Ctx } from '../../../../ctx.ts';
import { readStepUp } from '../../../auth/index.ts';
import { toApplicationView } from '../../application-view.ts';
import type { OpenInteraction } from '../interaction.ts';
import type { PageRequest } from '../build-page.ts';

/** Asks for a second factor that an application wants, or leads to where one can be set up. */
export async function buildFactorPage(
  ctx: Ctx,
  { interaction, application }: OpenInteraction,
  { hidden, problem }: PageRequest,
): Promise<Page> {
  const caller = { userId: interaction.session?.accountId ?? '', sessionId: interaction.session?.uid ?? '' };
  const { methods, passkeyOptions } = await readStepUp(ctx, caller);
  const url = `/interaction/${interaction.uid}`;
  const view = toApplicationView(application, interaction.params['redirect_uri']);
  const shown = methods.filter((method) => method !== 'sign_in' && method !== 'password');
  if (shown.length === 0) {
    const query = new URLSearchParams({ next: url }).toString();
    const form = { action: `${url}/factor-needed`, hidden };
    return { name: 'factor-needed', form, application: view, setUpUrl: `/account/security?${query}` };
  }
  const form = { action: `${url}/step-up`, hidden };
  return {
    name: 'second-factor',
    form,
    application: view,
    reason: 'app',
    methods: shown,
    passkey: passkeyOptions ? { form, options: passkeyOptions } : null,
    canRemember: false,
    backUrl: `${url}?step=sign-in`,
    problem: problem ?? null,
  };
}
