import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { afterAll } from 'vitest';
import { startStandIn, type StandIn } from '../start-stand-in.ts';

export type Received = { provider: string; headers: IncomingHttpHeaders; body: string; event: any };

export type Bench = StandIn & {
  stripe: Stripe;
  /** Moves the true clock. */
  wait: (seconds: number) => void;
  /** Every webhook that arrived, the oldest first. */
  received: Received[];
  /** What the receiver answers from now on; 200 at first. */
  answer: (status: number) => void;
  /** Calls PayPal's API with a token that counts. */
  paypal: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<PayPalReply>;
};

export type PayPalReply = { status: number; body: any };

/** The stand-in with a clock that stands still, the real SDK, and a receiver of its webhooks. */
export async function startBench(options: { dataDir?: string } = {}): Promise<Bench> {
  let time = Date.parse('2026-03-01T12:00:00Z');
  const { dataDir } = options;
  const standIn = await startStandIn({
    port: 0,
    clock: { now: () => new Date(time) },
    deliversBySelf: false,
    ...(dataDir === undefined ? {} : { dataDir }),
  });
  const { hostname, port } = new URL(standIn.url);
  const receiver = await startReceiver();
  standIn.deliverTo(receiver.url);
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= standIn.stop());
  afterAll(async () => {
    await stop();
    receiver.close();
  });
  return {
    ...standIn,
    stop,
    stripe: new Stripe(standIn.settings.STRIPE_SECRET_KEY, {
      host: hostname,
      port,
      protocol: 'http',
      maxNetworkRetries: 0,
    }),
    wait: (seconds) => (time += 1000 * seconds),
    received: receiver.received,
    answer: receiver.answer,
    paypal: paypalCaller(standIn),
  };
}

async function startReceiver() {
  const received: Received[] = [];
  let status = 200;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const provider = (request.url ?? '').split('/').at(-1) ?? '';
      received.push({ provider, headers: request.headers, body, event: JSON.parse(body) });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (next: number) => void (status = next),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function paypalCaller({ url, settings }: StandIn): Bench['paypal'] {
  const credentials = `${settings.PAYPAL_CLIENT_ID}:${settings.PAYPAL_CLIENT_SECRET}`;
  let token: Promise<string> | undefined;
  const askForToken = async () => {
    const response = await fetch(`${url}/v1/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  };
  return async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${await (token ??= askForToken())}`,
        'content-type': 'application/json',
        prefer: 'return=representation',
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
}

/** A checkout of a pack for EUR 5.00. */
export const packOrder = {
  mode: 'payment',
  line_items: [
    { quantity: 1, price_data: { currency: 'eur', unit_amount: 500, product_data: { name: '500 credits' } } },
  ],
  success_url: 'http://localhost:3001/thanks?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'http://localhost:3001/credits',
  customer_email: 'ada@example.com',
  metadata: { purchase: 'one' },
  payment_intent_data: { metadata: { purchase: 'one' } },
} satisfies Stripe.Checkout.SessionCreateParams;

/** An order of PayPal's for EUR 5.00. */
export const paypalOrder = {
  intent: 'CAPTURE',
  purchase_units: [
    {
      reference_id: 'one',
      custom_id: 'one',
      invoice_id: 'one',
      description: '500 credits',
      amount: { currency_code: 'EUR', value: '5.00' },
    },
  ],
  payment_source: {
    paypal: {
      email_address: 'ada@example.com',
      experience_context: {
        return_url: 'http://localhost:3001/thanks',
        cancel_url: 'http://localhost:3001/credits',
      },
    },
  },
};

/** The address that an answer of PayPal's sends the customer to. */
export function approvalUrlOf(answer: any): string {
  return answer.links.find(({ rel }: { rel: string }) => rel === 'payer-action' || rel === 'approve').href;
}
