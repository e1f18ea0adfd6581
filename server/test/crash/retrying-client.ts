import { setTimeout as pause } from 'node:timers/promises';
import { sendJson, type Answer } from '../harness/index.ts';

/** A call that moves credits. The same `key` makes it the same call, however often it is sent. */
export type Call = { path: string; body: Record<string, unknown>; key: string; auth: Auth };
export type Auth = { token: string } | { headers: Record<string, string> };

/** How often what was sent had to be sent again, and how often it had been done though nobody was told. */
export type Tally = { acknowledged: number; retried: number; doneUnheard: number };

/**
 * Clients of a service that may be away at any moment: each call is repeated with its key until it is
 * answered for good. Calls back after each such answer.
 */
export function createRetryingClient(url: string, onAcknowledged: () => void) {
  const tally: Tally = { acknowledged: 0, retried: 0, doneUnheard: 0 };
  const once = ({ path, body, key, auth }: Call): Promise<Answer | undefined> =>
    sendJson(`${url}/api/v1/credits/${path}`, 'POST', { body: { ...body, idempotencyKey: key }, ...auth })
      .then((answer) => (answer.status < 500 ? answer : undefined))
      // Nobody there, or cut off in the middle.
      .catch(() => undefined);
  return {
    tally,
    async send(call: Call): Promise<Answer> {
      for (let attempts = 1; ; attempts++) {
        const answer = await once(call);
        if (!answer) {
          await pause(20);
          continue;
        }
        tally.acknowledged += 1;
        if (attempts > 1) tally.retried += 1;
        if (isReplay(answer)) tally.doneUnheard += 1;
        onAcknowledged();
        return answer;
      }
    },
    /** Sends a call again that has been answered: it must be answered alike. */
    async sendAgain(call: Call): Promise<Answer> {
      for (;;) {
        const answer = await once(call);
        if (answer) return answer;
        await pause(20);
      }
    },
  };
}

export type RetryingClient = ReturnType<typeof createRetryingClient>;

export function isReplay(answer: Answer): boolean {
  return answer.headers.get('idempotency-replayed') === 'true';
}
