import type { Logger } from 'pino';
import type { StandIn, StandInSettings } from '../../stand-in/start-stand-in.ts';
import type { Config } from './config.ts';

/** What runs instead of payment providers, and the configuration that leads to it. */
export type PaymentStandIn = { config: Config; url: string; stop(): Promise<void> };

/**
 * Starts the stand-in for payment providers when none is set up, so that credits can be bought in
 * development; undefined where a provider is, and always in production, where its code is not even loaded.
 * Its state is kept in DATA_DIR.
 */
export async function startPaymentStandIn(config: Config, log: Logger): Promise<PaymentStandIn | undefined> {
  const hasProvider = config.stripeSecretKey !== '' || config.paypalClientId !== '';
  if (config.isProduction || hasProvider) return undefined;
  const standIn = await listenSomewhere(config);
  standIn.deliverTo(deliveryAddress(config));
  log.warn({ url: standIn.url }, 'payments go to a stand-in: no money moves');
  return { config: withSettings(config, standIn.settings), url: standIn.url, stop: () => standIn.stop() };
}

/** On STAND_IN_PORT; without it on the port after ours, or on any other when that is taken. */
async function listenSomewhere(config: Config): Promise<StandIn> {
  const { startStandIn } = await import('../../stand-in/start-stand-in.ts');
  const start = (port: number) =>
    startStandIn({
      port,
      host: config.host,
      publicHost: new URL(config.baseUrl).hostname,
      dataDir: config.dataDir,
      deliversBySelf: true,
    });
  if (config.standInPort !== 0) return start(config.standInPort);
  return start(config.port + 1).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') return start(0);
    throw error;
  });
}

/** Where this process takes webhooks, by the way from this machine. */
function deliveryAddress({ host, port }: Config): string {
  const isAll = host === '0.0.0.0' || host === '::';
  return `http://${isAll ? 'localhost' : host}:${port}`;
}

function withSettings(config: Config, settings: StandInSettings): Config {
  return Object.freeze({
    ...config,
    stripeSecretKey: settings.STRIPE_SECRET_KEY,
    stripeWebhookSecrets: settings.STRIPE_WEBHOOK_SECRET,
    stripeApiBase: settings.STRIPE_API_BASE,
    paypalClientId: settings.PAYPAL_CLIENT_ID,
    paypalClientSecret: settings.PAYPAL_CLIENT_SECRET,
    paypalWebhookId: settings.PAYPAL_WEBHOOK_ID,
    paypalApiBase: settings.PAYPAL_API_BASE,
    paypalCertificateOrigin: settings.PAYPAL_CERTIFICATE_ORIGIN,
    paypalCertificateAuthority: settings.PAYPAL_CERTIFICATE_AUTHORITY,
  });
}
