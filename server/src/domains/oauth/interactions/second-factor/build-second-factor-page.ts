import type { ApplicationView, Form, Problem } from '../../../../../../web/src/page.ts';
import type { SecondFactorPage } from '../../../../../../web/src/security-pages.ts';
import type { Ctx } from '../../../../ctx.ts';
import { readChallenge } from '../../../auth/index.ts';

export type SecondFactorRequest = {
  /** Of the sign-in that waits at this browser. */
  challengeToken: string;
  form: Form;
  backUrl: string;
  application: ApplicationView | null;
  problem?: Problem | undefined;
};

/** The page for the second step of a sign-in; undefined when none waits. */
export async function buildSecondFactorPage(
  ctx: Ctx,
  { challengeToken, form, backUrl, application, problem }: SecondFactorRequest,
): Promise<SecondFactorPage | undefined> {
  const asked = await readChallenge(ctx, challengeToken);
  if (!asked) return undefined;
  return {
    name: 'second-factor',
    form,
    application,
    reason: 'sign-in',
    methods: asked.methods,
    passkey: asked.passkeyOptions ? { form, options: asked.passkeyOptions } : null,
    canRemember: true,
    backUrl,
    problem: problem ?? null,
  };
}
