import { createServer } from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, expect, vi } from 'vitest';
import { startTestService, type TestClock, type TestService, type TestServiceOptions } from './index.ts';

export type TestProvider = TestService & {
  /** The issuer: `http://<host>:<port>`, where the service really listens. */
  issuer: string;
};

/**
 * A clock that the whole process goes by: the OAuth library and the clients in the test read the system's,
 * which stands still here until the test moves it.
 */
function createSystemClock(startAt: string): TestClock {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(startAt) });
  afterAll(() => {
    vi.useRealTimers();
  });
  return {
    now: () => new Date(),
    set: (time) => {
      vi.setSystemTime(new Date(time));
    },
    advance: ({ ms = 0, seconds = 0, minutes = 0, hours = 0, days = 0 }) => {
      vi.setSystemTime(Date.now() + ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days))));
    },
  };
}

/**
 * Starts the service as an issuer at its real address, on a clock that clients in this process share. `host`
 * may be a name that browsers know to be this machine, such as `id.family.localhost`.
 */
export async function startTestProvider({
  host = 'localhost',
  ...options
}: TestServiceOptions & { host?: string } = {}): Promise<TestProvider> {
  const clock = createSystemClock(options.startAt ?? '2026-03-01T12:00:00.000Z');
  const port = await findFreePort();
  const issuer = `http://${host}:${port}`;
  const env = { BASE_URL: issuer, ...options.env };
  const service = await startTestService({ ...options, clock, port, env });
  return { ...service, issuer };
}

/** A port that nobody listens on right now. */
export async function findFreePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer().once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    server.close(() => resolve(port));
  });
  return promise;
}

/** A page that a browser shows: its status, its facts, and its text. */
export type ShownPage = { status: number; page: any; text: string; headers: Headers; url: string };

/**
 * A browser without JavaScript: keeps cookies by path, follows redirects within the service, fills in
 * forms. A redirect that leads away is where it stops.
 */
export class TestBrowser {
  readonly service: TestProvider;
  readonly cookies = new Map<string, { value: string; path: string }>();

  constructor(service: TestProvider) {
    this.service = service;
  }

  /** Sends one request with the cookies that belong to it, and keeps those it gets. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const target = new URL(url, this.service.issuer);
    const cookie = [...this.cookies]
      .filter(
        ([, { path }]) => target.pathname === path || target.pathname.startsWith(path.replace(/\/?$/, '/')),
      )
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
    const response = await fetch(`${this.service.url}${target.pathname}${target.search}`, {
      ...init,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        ...(cookie === '' ? {} : { cookie }),
        ...Object.fromEntries(new Headers(init.headers)),
      },
    });
    for (const line of response.headers.getSetCookie()) this.keep(line);
    return response;
  }

  private keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/);
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? '/';
    const isGone = value === '' || attributes.some((one) => /^expires=Thu, 01 Jan 1970/i.test(one));
    if (isGone) this.cookies.delete(name);
    else this.cookies.set(name, { value, path });
  }

  /** Opens an address and follows redirects. Ends at a page, or at an address that is not the service's. */
  async open(url: string, init: RequestInit = {}): Promise<ShownPage | URL> {
    let response = await this.request(url, init);
    for (let hop = 0; response.status >= 300 && response.status < 400; hop++) {
      expect(hop).toBeLessThan(10);
      const target = new URL(response.headers.get('location') ?? '', this.service.issuer);
      if (target.origin !== this.service.issuer) return target;
      url = target.href;
      response = await this.request(url);
    }
    const text = await response.text();
    const data = /<script type="application\/json" id="page-data">(.*?)<\/script>/s.exec(text)?.[1];
    const page = data === undefined ? undefined : JSON.parse(data);
    return { status: response.status, headers: response.headers, page, text, url };
  }

  /** Sends the form of a page with what a person types in. */
  submit({ page }: ShownPage, fields: Record<string, string>): Promise<ShownPage | URL> {
    return this.open(page.form.action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...page.form.hidden, ...fields }).toString(),
    });
  }
}

/** Narrows where a browser has come to: a page with this name. */
export function expectPage(shown: ShownPage | URL, name: string): ShownPage {
  if (shown instanceof URL) throw new Error(`the browser left for ${shown.href} instead of "${name}"`);
  expect(shown.page?.name ?? shown.text.slice(0, 500)).toBe(name);
  return shown;
}

/** Narrows where a browser has come to: an address of the application. */
export function expectCallback(shown: ShownPage | URL): URL {
  if (!(shown instanceof URL))
    throw new Error(`the browser is at ${JSON.stringify(shown.page ?? shown.text)}`);
  return shown;
}

/** A verifier and its challenge. @see RFC 7636 §4 */
export function newPkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}
