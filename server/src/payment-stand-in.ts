import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { StandIn, StandInSettings } from '../../stand-in/start-stand-in.ts';
import type { Config } from './config.ts';

const answerMs = 2000;

/** What runs instead of payment providers, and the configuration that leads to it. */
export type PaymentStandIn = { config: Config; url: string; stop(): Promise<void> };

/**
 * Starts the stand-in for payment providers when none is set up, so that credits can be bought in
 * development; undefined where a provider is, and always in production, where its code is not even loaded.
 * Its state is kept in DATA_DIR.
 */
export async function startPaymentStandIn(config: Config, log: Logger): Promise<PaymentStandIn | undefined> {
  if (!mayHaveStandIn(config)) return undefined;
  const standIn = await listenSomewhere(config);
  standIn.deliverTo(deliveryAddress(config));
  log.warn({ url: standIn.url }, 'payments go to a stand-in: no money moves');
  const file = settingsFile(config);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await writeFile(file, JSON.stringify(standIn.settings), { mode: 0o600 });
  return {
    config: withSettings(config, standIn.settings),
    url: standIn.url,
    async stop() {
      await rm(file, { force: true });
      await standIn.stop();
    },
  };
}

/**
 * The configuration that leads a command to the stand-in which a service on the same DATA_DIR runs at this
 * moment; the one that was given where none does, and always in production.
 */
export async function joinPaymentStandIn(config: Config): Promise<Config> {
  if (!mayHaveStandIn(config)) return config;
  const text = await readFile(settingsFile(config), 'utf8').catch(() => undefined);
  if (text === undefined) return config;
  const settings: StandInSettings = JSON.parse(text);
  const signal = AbortSignal.timeout(answerMs);
  const isThere = await fetch(`${settings.STRIPE_API_BASE}/control`, { method: 'HEAD', signal }).then(
    () => true,
    () => false,
  );
  return isThere ? withSettings(config, settings) : config;
}

function mayHaveStandIn({ isProduction, stripeSecretKey, paypalClientId }: Config): boolean {
  return !isProduction && stripeSecretKey === '' && paypalClientId === '';
}

/** Where those who run beside the service learn how to speak with its stand-in. */
const settingsFile = ({ dataDir }: Config): string => join(dataDir, 'payments-stand-in-settings.json');

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
