import type { ApplicationView } from '../../../../web/src/page.ts';
import type { Application } from '../applications/index.ts';

type Shown = Pick<
  Application,
  'name' | 'logoUri' | 'clientUri' | 'policyUri' | 'termsUri' | 'isVerified' | 'type'
>;

/**
 * An application as pages show it. `redirectUri` is where the answer goes; its host tells people where they
 * end.
 */
export function toApplicationView(application: Shown, redirectUri?: unknown): ApplicationView {
  return {
    name: application.name,
    logoUrl: webAddress(application.logoUri),
    homeUrl: webAddress(application.clientUri),
    policyUrl: webAddress(application.policyUri),
    termsUrl: webAddress(application.termsUri),
    isVerified: application.isVerified,
    host: typeof redirectUri === 'string' ? hostOf(redirectUri) : null,
  };
}

/** Only what a browser may open: no page is to hold an address that runs something. */
function webAddress(address: string | null): string | null {
  return address !== null && /^https?:$/.test(URL.parse(address)?.protocol ?? '') ? address : null;
}

function hostOf(redirectUri: string): string | null {
  const url = URL.parse(redirectUri);
  return url?.protocol === 'https:' ? url.host : null;
}
