import type { TestApplication } from './applications.ts';
import type { Answer } from './index.ts';
import { expectCallback, newPkce, TestBrowser, type ShownPage, type TestProvider } from './oauth.ts';
import { registerPerson, type Person } from './people.ts';

export const redirectUri = 'https://notes.example.com/callback';

export type TestClient = Pick<TestApplication, 'clientId'> & {
  clientSecret?: string | null;
  redirectUri?: string;
};

type Form = Record<string, string | undefined>;

/** The protocol as an application speaks it, one request at a time, right and wrong. */
export class OauthCalls {
  readonly service: TestProvider;
  readonly client: TestClient;

  constructor(service: TestProvider, client: TestClient) {
    this.service = service;
    this.client = client;
  }

  /** Sends a form to an endpoint, by default with the credentials of the application. */
  async post(
    path: string,
    form: Form,
    headers: Record<string, string> = this.credentials(),
  ): Promise<Answer> {
    const isPublic = headers['authorization'] === undefined && !('client_id' in form);
    const all = { ...(isPublic ? { client_id: this.client.clientId } : {}), ...form };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const response = await fetch(`${this.service.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(given).toString(),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  credentials(): Record<string, string> {
    const { clientId, clientSecret } = this.client;
    if (!clientSecret) return {};
    const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }

  /** The address of an authorization request; `undefined` leaves a parameter out. */
  authorizeUrl(params: Form = {}): string {
    const all = {
      client_id: this.client.clientId,
      redirect_uri: this.client.redirectUri ?? redirectUri,
      response_type: 'code',
      scope: 'openid',
      state: 'a state',
      ...params,
    };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return `/authorize?${new URLSearchParams(given).toString()}`;
  }

  /**
   * Goes through the pages like a person who agrees to everything. Returns where the browser is sent then.
   */
  async passPages(browser: TestBrowser, person: Person, url: string): Promise<URL> {
    let shown: ShownPage | URL = await browser.open(url);
    for (let step = 0; step < 6 && !(shown instanceof URL); step++) {
      const { name } = shown.page ?? {};
      if (name === 'sign-in')
        shown = await browser.submit(shown, { email: person.email, password: person.password });
      else if (name === 'consent') shown = await browser.submit(shown, { decision: 'allow' });
      else break;
    }
    return expectCallback(shown);
  }

  /** A code that a person has just granted, with what its exchange needs. */
  async obtainCode(
    params: Form = {},
    { browser = new TestBrowser(this.service), person }: { browser?: TestBrowser; person?: Person } = {},
  ): Promise<{ code: string; verifier: string; person: Person; browser: TestBrowser }> {
    const who = person ?? (await registerPerson(this.service));
    const { verifier, challenge } = newPkce();
    const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
    const callback = await this.passPages(browser, who, this.authorizeUrl({ ...pkce, ...params }));
    const code = callback.searchParams.get('code');
    if (code === null) throw new Error(`no code in ${callback.href}`);
    return { code, verifier, person: who, browser };
  }

  redeem(code: string, verifier: string | undefined, form: Form = {}, headers?: Record<string, string>) {
    const all = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: this.client.redirectUri ?? redirectUri,
      code_verifier: verifier,
      ...form,
    };
    return this.post('/oauth/token', all, { ...this.credentials(), ...headers });
  }

  refresh(refreshToken: string, form: Form = {}, headers?: Record<string, string>): Promise<Answer> {
    const all = { grant_type: 'refresh_token', refresh_token: refreshToken, ...form };
    return this.post('/oauth/token', all, { ...this.credentials(), ...headers });
  }

  introspect(token: string, form: Form = {}): Promise<Answer> {
    return this.post('/oauth/introspect', { token, ...form });
  }

  revoke(token: string, form: Form = {}): Promise<Answer> {
    return this.post('/oauth/revoke', { token, ...form });
  }

  /** Everything up to the tokens. */
  async obtainTokens(
    params: Form = {},
    options: { browser?: TestBrowser; person?: Person } = {},
  ): Promise<{ tokens: any; person: Person; browser: TestBrowser }> {
    const { code, verifier, person, browser } = await this.obtainCode(params, options);
    const { status, body } = await this.redeem(code, verifier);
    if (status !== 200) throw new Error(`the code was refused: ${JSON.stringify(body)}`);
    return { tokens: body, person, browser };
  }
}
