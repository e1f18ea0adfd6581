import { expect } from 'vitest';
import type { Answer, TestService } from './index.ts';
import { readOwn } from './movements.ts';
import type { WalletHolder } from './wallets.ts';

type More = Record<string, unknown>;
type Options = { at?: TestService; as?: WalletHolder };

export const holdsPath = '/api/v1/credits/holds';
/** A hold of 100 for the app `chat`. */
export const holdBody = { amount: 100, appId: 'chat', description: 'Chat answer' };

/** Calls that place and move holds as whoever `holder` says it is then, or as somebody else. */
export function holdCalls(service: TestService, holder: () => WalletHolder) {
  const post = (path: string, given: unknown, { at = service, as = holder() }: Options = {}) =>
    at.send('POST', `${holdsPath}${path}`, { token: as.token, body: given });
  const place = (more: More = {}, options?: Options): Promise<Answer> =>
    post('', { ...holdBody, ...more }, options);
  const read = (path: string) => readOwn(service, holder(), path);
  return {
    post,
    place,
    read,
    capture: (id: string, amount: number, more: More = {}, options?: Options) =>
      post(`/${id}/capture`, { amount, ...more }, options),
    extend: (id: string, more: More = {}) => post(`/${id}/extend`, more),
    release: (id: string, more: More = {}, options?: Options) => post(`/${id}/void`, more, options),
    balance: () => read('balance'),
    /** A hold that went through. */
    placed: async (more: More = {}): Promise<any> => {
      const answer = await place(more);
      expect(answer.status).toBe(201);
      return answer.body;
    },
    /** Type and amount of the latest transactions, the newest first. */
    history: async (limit: number): Promise<[string, number][]> => {
      const list = await read(`transactions?limit=${limit}`);
      return list.map(({ type, amount }: any) => [type, amount]);
    },
  };
}
