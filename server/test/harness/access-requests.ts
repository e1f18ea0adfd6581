import { registerApplication } from './applications.ts';
import type { TestService } from './index.ts';
import { addWalletHolder, type WalletHolder } from './wallets.ts';

/** Calls by which people ask for access to applications, and by which their administrators decide. */
export function requestCalls(service: TestService) {
  const send = (holder: WalletHolder, method: string, path: string, body?: unknown) =>
    service.send(method, `/api/v1/access-requests${path}`, {
      token: holder.token,
      ...(body === undefined ? {} : { body }),
    });
  return {
    send,
    ask: (holder: WalletHolder, body: unknown) => send(holder, 'POST', '', body),
    approve: (holder: WalletHolder, id: string, body?: unknown) =>
      send(holder, 'PUT', `/${id}/approve`, body),
    deny: (holder: WalletHolder, id: string, body?: unknown) => send(holder, 'PUT', `/${id}/deny`, body),
    withdraw: (holder: WalletHolder, id: string) => send(holder, 'DELETE', `/${id}`),
    /** A closed application, with Ada as its administrator. */
    newApplication: async (given: Record<string, unknown> = {}) => {
      const ada = await addWalletHolder(service);
      return { ada, app: await registerApplication(service, ada.token, given) };
    },
  };
}
