import { expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { startTestProvider } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { watchStatements } from '../../../test/harness/statements.ts';

const service = await startTestProvider();

test('each request of a sign-in asks the database twice', async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const oauth = new OauthCalls(service, await registerApplication(service, accessToken, { access: 'open' }));
  const { browser, person } = await oauth.obtainCode();
  const watch = watchStatements(service);
  const authorized = await watch.during(() => oauth.obtainCode({}, { browser, person }));
  const { code, verifier } = authorized.result;
  const redeemed = await watch.during(() => oauth.redeem(code, verifier));
  const refreshed = await watch.during(() => oauth.refresh(redeemed.result.body.refresh_token));
  watch.end();
  expect([redeemed.result.status, refreshed.result.status]).toEqual([200, 200]);
  expect([authorized, redeemed, refreshed].map(({ statements }) => statements.length)).toEqual([2, 2, 2]);
});
