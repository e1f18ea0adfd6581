import type { ErrorOut, errors, KoaContextWithOIDC } from 'oidc-provider';
import type { Page } from '../../../../../web/src/page.ts';
import { currentExchange } from '../exchange.ts';
import { showPage } from './show-page.ts';

/** What went wrong, for the person before the screen and for the developers of the application. */
export async function showError(
  context: KoaContextWithOIDC,
  out: ErrorOut,
  error: errors.OIDCProviderError | Error,
): Promise<void> {
  const detail = 'error_detail' in error ? error.error_detail : undefined;
  const forDevelopers = [out.error_description, detail].filter(Boolean).join(': ');
  const page: Page = {
    name: 'error',
    status: context.status,
    code: out.error,
    requestId: currentExchange()?.requestId ?? '',
    ...(out.error === 'server_error' || forDevelopers === '' ? {} : { forDevelopers }),
    links: [],
  };
  showPage(context, page);
}
