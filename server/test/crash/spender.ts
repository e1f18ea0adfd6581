import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { sendJson } from '../harness/index.ts';

const password = 'correct horse lantern';

/** A person who spends one credit after the other and remembers what the service has confirmed. */
export type Spender = {
  /** Idempotency keys of the spends that were answered with success. */
  acknowledged: string[];
  /** Spends until the service does not answer any more; calls back after each confirmed spend. */
  spendUntilCut(url: string, onAcknowledged: () => void): Promise<void>;
  /** What can be spent now. */
  readAvailable(url: string): Promise<number>;
  /** The idempotency keys of all spends in the journal, in no particular order. */
  readJournal(url: string): Promise<string[]>;
};

/** Registers a person and signs in. */
export async function createSpender(url: string): Promise<Spender> {
  const email = `${randomUUID()}@example.com`;
  const post = (path: string, body: unknown) => sendJson(`${url}/api/v1/auth/${path}`, 'POST', { body });
  expect((await post('register', { email, password })).status).toBe(201);
  const token: string = (await post('login', { email, password })).body.accessToken;
  const acknowledged: string[] = [];
  return {
    acknowledged,
    async spendUntilCut(serviceUrl, onAcknowledged) {
      for (;;) {
        const idempotencyKey = randomUUID();
        const body = { amount: 1, appId: 'crash-test', description: 'one credit', idempotencyKey };
        const answer = await sendJson(`${serviceUrl}/api/v1/credits/use`, 'POST', { body, token }).catch(
          () => undefined,
        );
        if (!answer) return;
        expect(answer.body).toMatchObject({ success: true });
        acknowledged.push(idempotencyKey);
        onAcknowledged();
      }
    },
    async readAvailable(serviceUrl) {
      return (await sendJson(`${serviceUrl}/api/v1/credits/balance`, 'GET', { token })).body.available;
    },
    async readJournal(serviceUrl) {
      const path = '/api/v1/credits/transactions?type=usage&limit=200';
      const { body } = await sendJson(`${serviceUrl}${path}`, 'GET', { token });
      return body.map((transaction: { idempotencyKey: string }) => transaction.idempotencyKey);
    },
  };
}
