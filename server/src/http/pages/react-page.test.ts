import Fastify from 'fastify';
import { afterAll, expect, test } from 'vitest';
import type { Page } from '../../../../web/src/page.ts';
import { openGallery } from '../../../test/browser/gallery.ts';
import { logoUrl, samples } from '../../../test/browser/samples.ts';
import { assertPagesBuilt } from './built-pages.ts';
import { sendReactPage, type PageOptions } from './react-page.ts';

const gallery = await openGallery();
afterAll(() => gallery.close());

const open = (name: string) => fetch(`${gallery.url}/${name}`);

/** The answer that a page makes, without a server. */
async function answerTo(page: Page, options?: PageOptions) {
  const app = Fastify();
  app.get('/', (_request, reply) => sendReactPage(reply, page, options));
  return app.inject('/');
}

function policyOf({ headers }: { headers: Record<string, unknown> }): string[] {
  return String(headers['content-security-policy']).split('; ');
}

const sample = (name: string) => samples[name] as Page;
const withLogo = (logo: string) => {
  const page = sample('consent') as Extract<Page, { name: 'consent' }>;
  return { ...page, application: { ...page.application, logoUrl: logo } };
};

test.each(Object.keys(samples))(
  '%s is whole without JavaScript: one heading, one title, its data',
  async (name) => {
    const answer = await open(name);
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const heading = /<h1>(.*?)<\/h1>/.exec(text)?.[1] ?? '';
    expect(heading).not.toBe('');
    expect(text.match(/<h1/g)).toHaveLength(1);
    expect(/<title>(.*?)<\/title>/.exec(text)?.[1]).toContain(' – Obol');
    expect(text).not.toMatch(/ style="| on[a-z]+="|undefined|\[object/);
    const data = /<script type="application\/json" id="page-data">(.*?)<\/script>/.exec(text)?.[1] ?? '';
    expect(JSON.parse(data)).toEqual(sample(name));
  },
);

test('a page that comes again says so in its title, a refusal answers with its status', async () => {
  expect(await (await open('sign-in-refused')).text()).toContain('<title>Not yet: Sign in to Kettle');
  expect((await open('error-link')).status).toBe(400);
  expect((await open('error-server')).status).toBe(500);
  expect((await answerTo(sample('sign-in-refused'), { status: 401 })).statusCode).toBe(401);
});

test('words that an application chooses stay words', async () => {
  const page = sample('consent') as Extract<Page, { name: 'consent' }>;
  const name = '</script><script>alert(1)</script><img src=x onerror=alert(1)>';
  const answer = await answerTo({ ...page, application: { ...page.application, name } });
  expect(answer.body).not.toContain('<img src=x');
  expect(answer.body.match(/<script/g)).toHaveLength(2);
  expect(answer.body).toContain('&lt;img src=x onerror=alert(1)&gt; asks for your permission');
});

test('images come from here and from the origin of the logo, if that is an https address', async () => {
  expect(policyOf(await answerTo(sample('sign-in')))).toContain("img-src 'self'");
  expect(policyOf(await answerTo(withLogo(logoUrl)))).toContain(
    "img-src 'self' https://static.atlas.example",
  );
  for (const logo of [
    'http://static.atlas.example/logo.png',
    'data:image/png;base64,AAAA',
    'javascript:alert(1)',
    'https://atlas.example;script-src/logo.png',
    'no address',
  ]) {
    const answer = await answerTo(withLogo(logo));
    expect(policyOf(answer), logo).toContain("img-src 'self'");
    expect(answer.body, logo).not.toContain(JSON.stringify(logo));
    expect(answer.body, logo).toContain('<span class="tile"');
  }
});

test('forms are sent here, and their answers lead to the redirect URI', async () => {
  for (const [redirectUri, directive] of [
    [undefined, "form-action 'self'"],
    ['https://atlas.example/callback?x=1', "form-action 'self' https://atlas.example"],
    ['http://127.0.0.1:4123/callback', "form-action 'self' http://127.0.0.1:4123"],
    ['http://[::1]:4123/callback', "form-action 'self' http://[::1]:4123"],
    ['com.example.app:/callback', "form-action 'self' com.example.app:"],
    ['https://atlas.example;script-src/callback', "form-action 'self'"],
    ['no address', "form-action 'self'"],
  ] as const) {
    const answer = await answerTo(sample('consent'), redirectUri === undefined ? {} : { redirectUri });
    expect(
      policyOf(answer).filter((part) => part.startsWith('form-action')),
      redirectUri,
    ).toEqual([directive]);
    expect(policyOf(answer)).toHaveLength(7);
  }
});

test('a budget is said in words, and the scope that it stands for is not said twice', async () => {
  const text = await (await open('consent')).text();
  expect(text).toContain('It may spend up to 500 credits a month, at most 50 at a time.');
  expect(text).not.toContain('Spend your credits');
  expect(await (await open('consent-unverified')).text()).toContain('Only free credits, never paid ones.');
});

test('a scope is said in our words, else in the words of its API, else by its name', async () => {
  const text = await (await open('consent-unverified')).text();
  expect(text).toContain('Recognise you when you come back');
  expect(text).toContain('Write into your notebooks');
  expect(text).toContain('Use “telegraph:send”');
});

test('a service without its pages says what to run', () => {
  expect(() => assertPagesBuilt('/nowhere')).toThrow(/npm start.*npm run build/);
});
