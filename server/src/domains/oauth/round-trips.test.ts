import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { startTestProvider } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider();

test('each request of a sign-in asks the database twice', async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const oauth = new OauthCalls(service, await registerApplication(service, accessToken, { access: 'open' }));
  const { browser, person } = await oauth.obtainCode();
  const query = vi.spyOn(pg.Client.prototype, 'query');
  const messagesOf = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
    query.mockClear();
    return [await work(), query.mock.calls.length];
  };
  const [{ code, verifier }, authorizing] = await messagesOf(() => oauth.obtainCode({}, { browser, person }));
  const [redeemed, redeeming] = await messagesOf(() => oauth.redeem(code, verifier));
  const [refreshed, refreshing] = await messagesOf(() => oauth.refresh(redeemed.body.refresh_token));
  query.mockRestore();
  expect([redeemed.status, refreshed.status]).toEqual([200, 200]);
  expect([authorizing, redeeming, refreshing]).toEqual([2, 2, 2]);
});
