import { Webhook } from 'standardwebhooks';
import { expect, vi } from 'vitest';
import { registerApplication, type TestApplication } from './applications.ts';
import type { Answer, TestService } from './index.ts';
import { startReceiver, type Received, type Receiver } from './receiver.ts';
import { addWalletHolder, type WalletHolder } from './wallets.ts';

export type TestEndpoint = {
  id: string;
  secret: string;
  receiver: Receiver;
  app: TestApplication;
  /** The administrator, who is a member and so somebody whose events the application hears of. */
  ada: WalletHolder;
  /** Does what is due by the clock, and returns what has arrived in all. */
  deliver(): Promise<Event[]>;
  /** Asks as the administrator, below `/api/v1/webhooks`. */
  send(method: string, path: string, body?: unknown): Promise<Answer>;
  /** What has been sent to it, as the log says. */
  log(): Promise<any[]>;
};

export type Event = Received & { id: string; type: string; timestamp: string; data: any };

/** An application of its own with an endpoint at a receiver of its own. */
export async function addEndpoint(
  service: TestService,
  given: Record<string, unknown> = {},
): Promise<TestEndpoint> {
  const ada = await addWalletHolder(service);
  const [app, receiver] = [await registerApplication(service, ada.token), await startReceiver()];
  const send = (method: string, path: string, body?: unknown) =>
    service.send(method, `/api/v1/webhooks${path}`, {
      token: ada.token,
      ...(body === undefined ? {} : { body }),
    });
  const body = { applicationId: app.id, url: receiver.url, ...given };
  const { status, body: created } = await send('POST', '/endpoints', body);
  expect(status).toBe(201);
  const { id, secret } = created.endpoint;
  return {
    id,
    secret,
    receiver,
    app,
    ada,
    send,
    async deliver() {
      const { jobs, db } = service.ctx;
      await db.asService((tx) => jobs.enqueue(tx, 'serve-endpoints', {}));
      await jobs.runDue();
      return receiver.received.map(toEvent);
    },
    async log() {
      return (await send('GET', `/endpoints/${id}/deliveries?limit=200`)).body.deliveries;
    },
  };
}

/** The setting under which endpoints on this machine are allowed. */
export const loopbackEnv = { WEBHOOK_ALLOW_LOOPBACK: 'true' };

/** What a receiver makes of a request, with the library for it; throws when the signature is wrong. */
export function verify({ headers, body }: Received, secret: string, at: Date): unknown {
  vi.useFakeTimers({ toFake: ['Date'], now: at });
  try {
    return new Webhook(secret).verify(body, headers as Record<string, string>);
  } finally {
    vi.useRealTimers();
  }
}

function toEvent(received: Received): Event {
  return { ...received, id: String(received.headers['webhook-id']), ...JSON.parse(received.body) };
}
