import * as client from 'openid-client';
import { OauthCalls } from './oauth-flow.ts';
import { registerApplication, type TestApplication } from './applications.ts';
import { TestBrowser, type TestProvider } from './oauth.ts';
import { registerPerson, signIn, type Person } from './people.ts';

/** Registers an application whose administrator is somebody new. */
export async function registerOwnApplication(
  service: TestProvider,
  given: Record<string, unknown> = {},
): Promise<TestApplication> {
  const { accessToken } = await signIn(service, await registerPerson(service));
  return registerApplication(service, accessToken, { access: 'open', ...given });
}

/**
 * What `openid-client` is told of an application: the issuer, the id, how it identifies itself. Nothing else.
 */
export function configureClient(
  service: TestProvider,
  { clientId, clientSecret }: { clientId: string; clientSecret?: string | null },
  authentication: client.ClientAuth = clientSecret ? client.ClientSecretBasic(clientSecret) : client.None(),
): Promise<client.Configuration> {
  const options = { execute: [client.allowInsecureRequests] };
  return client.discovery(new URL(service.issuer), clientId, undefined, authentication, options);
}

export type Granted = {
  callback: URL;
  checks: client.AuthorizationCodeGrantChecks;
  person: Person;
  browser: TestBrowser;
};

type Options = { browser?: TestBrowser; person?: Person };

/**
 * Sends a person to the address that `openid-client` builds, who signs in and agrees to everything. `build`
 * makes it another kind of request, such as a pushed one.
 */
export async function letPersonAgree(
  service: TestProvider,
  config: client.Configuration,
  params: Record<string, string>,
  { browser = new TestBrowser(service), person }: Options = {},
  build: (params: Record<string, string>) => URL | Promise<URL> = (all) =>
    client.buildAuthorizationUrl(config, all),
): Promise<Granted> {
  const who = person ?? (await registerPerson(service));
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = await build({
    redirect_uri: 'https://notes.example.com/callback',
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...params,
  });
  const calls = new OauthCalls(service, { clientId: config.clientMetadata().client_id });
  const callback = await calls.passPages(browser, who, url.href);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
  return { callback, checks, person: who, browser };
}
