import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { answerCall, type Access } from './answer-call.ts';
import type { ActionName } from './control/actions.ts';
import { act } from './control/answer-control.ts';
import { doDueTasks } from './due.ts';
import { makeCertificates } from './lib/certificates.ts';
import type { PageChoice } from './pages/answer-page.ts';
import { deliverDue, type Targets } from './webhooks/deliver.ts';
import { World } from './world.ts';

export type StandInOptions = {
  /** 0 takes any port that is free. */
  port: number;
  /** Address to listen on; this machine only unless said otherwise. */
  host?: string;
  /** Name of the machine in the addresses that browsers are sent to. */
  publicHost?: string;
  /**
   * The time of whoever starts it, the true one unless said otherwise; the providers' clock can be put ahead
   * of it.
   */
  clock?: { now(): Date };
  /** Where the state is kept, as a file; without it, it ends with the process. */
  dataDir?: string;
  /** Sends webhooks by itself as they become due. Otherwise they go when `deliver` is called. */
  deliversBySelf: boolean;
};

/**
 * What a service needs to know in order to take the stand-in for Stripe and PayPal, as environment variables.
 */
export type StandInSettings = {
  STRIPE_SECRET_KEY: string;
  STRIPE_WEBHOOK_SECRET: string;
  STRIPE_API_BASE: string;
  PAYPAL_CLIENT_ID: string;
  PAYPAL_CLIENT_SECRET: string;
  PAYPAL_WEBHOOK_ID: string;
  PAYPAL_API_BASE: string;
  PAYPAL_CERTIFICATE_ORIGIN: string;
  PAYPAL_CERTIFICATE_AUTHORITY: string;
};

export type StandIn = {
  url: string;
  settings: StandInSettings;
  world: World;
  /** Says where the service is that webhooks go to. */
  deliverTo: (serviceUrl: string) => void;
  /** Does what the control page does: disputes, refunds, time … Returns what was made or changed. */
  act: (name: ActionName, input?: Record<string, string | number>) => { id: string } | undefined;
  /**
   * Presses a button of the page at which a checkout is paid; returns where the browser would go, if
   * anywhere.
   */
  choose: (checkoutUrl: string, choice: PageChoice) => Promise<string | null>;
  /** Sends what is due, over and over until nothing is; returns how many deliveries there were. */
  deliver: () => Promise<number>;
  stop: () => Promise<void>;
};

/** What whoever calls must know. They are no secrets: they open nothing but the stand-in. */
const stripeSecretKey = 'sk_test_standin';
const stripeSecrets = ['whsec_standin'];
const paypal = { clientId: 'stand-in', clientSecret: 'stand-in' };
const paypalWebhookId = 'STANDINWEBHOOK';
/** Whom PayPal's certificates are made out to. */
const certificateName = 'messageverificationcerts.paypal.com';
const pollMs = 200;
const bodyBytesMax = 1024 * 1024;

/**
 * Starts the stand-in for payment providers: the parts of Stripe's and PayPal's APIs that Obol uses, pages to
 * pay on, and webhooks. For development and tests only; nothing of it is ever part of production.
 */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const { dataDir } = options;
  const world = new World({
    clock: options.clock ?? { now: () => new Date() },
    ...(dataDir === undefined ? {} : { file: join(dataDir, 'payments-stand-in.json') }),
  });
  const certificates = (world.state.webhooks.certificates ??= makeCertificates(certificateName));
  const keys = { stripeSecrets, paypalWebhookId, certificates };
  const access: Access = { stripeSecretKey, paypal, keys };
  const server = createServer((request, response) => void answer(world, access, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host ?? '127.0.0.1', resolve);
  });
  world.url = `http://${options.publicHost ?? 'localhost'}:${(server.address() as AddressInfo).port}`;
  world.save();
  const targets: Targets = {};
  const deliver = inTurns(() => deliverDue(world, keys, targets));
  const tick = async () => {
    doDueTasks(world);
    await deliver();
  };
  const timer = options.deliversBySelf
    ? setInterval(() => void tick().catch(report), pollMs).unref()
    : undefined;
  return {
    url: world.url,
    settings: settingsOf(world, access),
    world,
    deliverTo(serviceUrl) {
      targets.stripe = `${serviceUrl}/api/v1/webhooks/stripe`;
      targets.paypal = `${serviceUrl}/api/v1/webhooks/paypal`;
    },
    act: (name, input = {}) => {
      const done = act(world, name, input);
      world.save();
      return done;
    },
    async choose(checkoutUrl, choice) {
      const body = new URLSearchParams({ choice });
      const response = await fetch(checkoutUrl, { method: 'POST', body, redirect: 'manual' });
      await response.arrayBuffer();
      return response.headers.get('location');
    },
    async deliver() {
      let sum = 0;
      for (let sent = 1; sent > 0; sum += sent) {
        doDueTasks(world);
        sent = await deliver();
      }
      return sum;
    },
    async stop() {
      clearInterval(timer);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      world.save();
    },
  };
}

function settingsOf(world: World, { keys }: Access): StandInSettings {
  return {
    STRIPE_SECRET_KEY: stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: stripeSecrets.join(','),
    STRIPE_API_BASE: world.url,
    PAYPAL_CLIENT_ID: paypal.clientId,
    PAYPAL_CLIENT_SECRET: paypal.clientSecret,
    PAYPAL_WEBHOOK_ID: paypalWebhookId,
    PAYPAL_API_BASE: world.url,
    PAYPAL_CERTIFICATE_ORIGIN: world.url,
    PAYPAL_CERTIFICATE_AUTHORITY: keys.certificates.authority,
  };
}

/** Calls that come while one is under way wait for it and are done after it. */
function inTurns<Value>(work: () => Promise<Value>): () => Promise<Value> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}

async function answer(
  world: World,
  access: Access,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? '/', world.url);
    const reply = answerCall(
      world,
      {
        method: request.method ?? 'GET',
        path: url.pathname,
        query: url.search.slice(1),
        headers: request.headers as Record<string, string | undefined>,
        body: await readBody(request),
      },
      access,
    );
    const isText = typeof reply.body === 'string';
    response
      .writeHead(reply.status, {
        'content-type': isText ? 'text/html; charset=utf-8' : 'application/json',
        'cache-control': 'no-store',
        ...reply.headers,
      })
      .end(isText ? reply.body : reply.body === undefined ? '' : JSON.stringify(reply.body));
  } catch (error) {
    report(error);
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

/** What goes wrong within the stand-in must not take the service along. */
function report(error: unknown): void {
  const words = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`The stand-in failed: ${words}\n`);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new Error('a body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
