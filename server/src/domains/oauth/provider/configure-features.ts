import type { Configuration } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { checkCreditsSpend, grantedDetails } from '../granted-details.ts';
import { currentExchange } from '../exchange.ts';
import { mayIntrospect } from './may-introspect.ts';
import { configureResources } from './configure-resources.ts';
import { showDeviceCode, showDeviceConfirm, showDeviceDone } from './show-device-code.ts';
import { showSignedOut, showSignOut } from './show-sign-out.ts';

type Features = NonNullable<Configuration['features']>;

/** What of the library is switched on. */
export function configureFeatures(ctx: Ctx): Features {
  return {
    devInteractions: { enabled: false },
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_context, client, token) => mayIntrospect(ctx, client, token),
    },
    revocation: {
      enabled: true,
      // Another application's token is left alone, and answered like an unknown one. @see RFC 7009 §2.2
      allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
    },
    pushedAuthorizationRequests: { enabled: true },
    resourceIndicators: configureResources(ctx),
    richAuthorizationRequests: {
      enabled: true,
      types: { credits_spend: { validate: checkCreditsSpend } },
      authorizationDetailsForGrantSource: (_context, source) => grantedDetails(ctx, source),
      authorizationDetailsForAccessToken: (_context, _token, source) => grantedDetails(ctx, source),
      authorizationDetailsForIntrospection: (_context, token) =>
        grantedDetails(ctx, 'grantId' in token ? token : undefined),
    },
    deviceFlow: {
      enabled: true,
      charset: 'base-20',
      mask: '****-****',
      deviceInfo: () => {
        const origin = currentExchange()?.origin;
        return { ip: origin?.ipAddress, ua: origin?.userAgent ?? undefined };
      },
      userCodeInputSource: (context, _form, _out, error) => showDeviceCode(context, error),
      userCodeConfirmSource: (context, _form, client, _device, userCode) =>
        showDeviceConfirm(ctx, context, client, userCode),
      successSource: (context) => showDeviceDone(ctx, context),
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (context) => showSignOut(ctx, context),
      postLogoutSuccessSource: (context) => showSignedOut(ctx, context),
    },
  };
}
