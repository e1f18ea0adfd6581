import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { ApplicationView, Page } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import { findClient } from '../../applications/index.ts';
import { toApplicationView } from '../application-view.ts';
import { currentExchange, inExchange } from '../exchange.ts';

/** Lets a page be the answer to the request at hand, with the status that the library chose. */
export function showPage(
  context: KoaContextWithOIDC,
  page: Page,
  status = context.status,
  redirectUri?: string,
): void {
  const exchange = currentExchange();
  if (!exchange) throw new Error('a page is shown outside of a request');
  context.respond = false;
  exchange.answer = { page, status, ...(redirectUri === undefined ? {} : { redirectUri }) };
}

/** The secret of this browser that a form for the library has to bring back. */
export function secretOf({ oidc }: KoaContextWithOIDC): string {
  const { state } = oidc.session ?? {};
  return (state as { secret?: string } | undefined)?.secret ?? '';
}

/** The application that a page is about, when there is one. */
export async function viewOf(ctx: Ctx, client: Client | undefined): Promise<ApplicationView | null> {
  if (!client) return null;
  const application = await inExchange(ctx, (tx) => findClient(tx, client.clientId));
  return application ? toApplicationView(application) : null;
}
