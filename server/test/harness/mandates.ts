import { expect } from 'vitest';
import type { TestApplication } from './applications.ts';
import type { Answer, TestService } from './index.ts';
import { readOwn } from './movements.ts';
import type { WalletHolder } from './wallets.ts';

type More = Record<string, unknown>;
export type AppOptions = { at?: TestService; as?: { clientId: string; headers: Record<string, string> } };

const credits = '/api/v1/credits';

/**
 * Calls by which a person, whoever `holder` says it is then, gives and changes mandates, and by which an
 * application, `app` or another one, spends under them.
 */
export function mandateCalls(service: TestService, app: TestApplication, holder: () => WalletHolder) {
  const own = (method: string, path: string, body?: unknown): Promise<Answer> =>
    service.send(method, `${credits}${path}`, {
      token: holder().token,
      ...(body === undefined ? {} : { body }),
    });
  const give = (more: More = {}) =>
    own('POST', '/mandates', { appId: app.clientId, allowance: 100, period: 'day', ...more });
  const asApp = (path: string, body: unknown, { at = service, as = app }: AppOptions = {}) =>
    at.send('POST', `${credits}${path}`, { headers: as.headers, body });
  const spendBody = (more: More = {}) => ({
    amount: 10,
    appId: app.clientId,
    description: 'Answer',
    onBehalfOf: holder().userId,
    ...more,
  });
  return {
    own,
    give,
    asApp,
    spendBody,
    /** A mandate that was given. */
    given: async (more: More = {}): Promise<any> => {
      const answer = await give(more);
      expect(answer.status).toBe(201);
      return answer.body;
    },
    change: (id: string, changes: More) => own('PATCH', `/mandates/${id}`, changes),
    revoke: (id: string) => own('DELETE', `/mandates/${id}`),
    use: (more: More = {}, options?: AppOptions) => asApp('/use', spendBody(more), options),
    hold: (more: More = {}, options?: AppOptions) => asApp('/holds', spendBody(more), options),
    capture: (id: string, amount: number, more: More = {}) =>
      asApp(`/holds/${id}/capture`, { amount, ...more }),
    refund: (transactionId: string, amount?: number) =>
      asApp('/refunds', { transactionId, reason: 'Cut off', ...(amount === undefined ? {} : { amount }) }),
    balance: () => readOwn(service, holder(), 'balance'),
    read: (id: string) => readOwn(service, holder(), `mandates/${id}`),
  };
}
