import { createHash, randomBytes } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';

/** An application as a client of an issuer. */
export type FlowClient = { port: number; clientId: string; clientSecret: string; redirectUri: string };

type Answer = { status: number; location: string | undefined; body: string };

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const scope = 'openid email offline_access';

/** A browser with an application behind it: signs in by code and PKCE, exchanges the code, refreshes once. */
export class CodeFlow {
  readonly #client: FlowClient;
  readonly #cookies = new Map<string, string>();

  constructor(client: FlowClient) {
    this.#client = client;
  }

  /**
   * One sign-in: an authorization request, the exchange of its code, and a refresh. Without `agree` the
   * person has to be signed in and to have agreed before.
   */
  async run(agree?: (flow: CodeFlow, location: string) => Promise<Answer>): Promise<void> {
    const { clientId, redirectUri } = this.#client;
    const verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope,
      ...(agree ? { prompt: 'consent' } : {}),
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    let answer = await this.send('GET', `/authorize?${query.toString()}`);
    while (answer.location !== undefined && !answer.location.startsWith(redirectUri)) {
      const { pathname, search } = new URL(answer.location, 'http://localhost');
      answer =
        agree && pathname.startsWith('/interaction/')
          ? await agree(this, pathname)
          : await this.send('GET', `${pathname}${search}`);
    }
    const code = new URL(answer.location ?? 'http://localhost').searchParams.get('code');
    if (code === null)
      throw new Error(`no code: ${answer.status} ${answer.location} ${answer.body.slice(0, 300)}`);
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    };
    const refreshToken = await this.#exchange(form);
    await this.#exchange({ grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  async #exchange(form: Record<string, string>): Promise<string> {
    const { clientId, clientSecret } = this.#client;
    const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    const { status, body } = await this.send('POST', '/oauth/token', form, { authorization });
    if (status !== 200) throw new Error(`no tokens: ${status} ${body}`);
    return (JSON.parse(body) as { refresh_token: string }).refresh_token;
  }

  /** Sends one request, a form or `json`, with the cookies of this browser, and keeps those it gets. */
  async send(
    method: string,
    path: string,
    form?: Record<string, string>,
    { json, ...headers }: Record<string, string> = {},
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { port } = this.#client;
    const body = json ?? (form && new URLSearchParams(form).toString());
    const type = json === undefined ? 'application/x-www-form-urlencoded' : 'application/json';
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent,
      headers: {
        host: `localhost:${port}`,
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(body === undefined ? {} : { 'content-type': type }),
        ...headers,
      },
    });
    request.on('error', reject).on('response', (response) => {
      for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
      const { statusCode: status = 0, headers: given } = response;
      text(response).then((read) => resolve({ status, location: given.location, body: read }), reject);
    });
    request.end(body);
    return promise;
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '') this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }
}
