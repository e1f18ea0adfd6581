import type { FastifyReply } from 'fastify';
import type { Page } from '../../../../web/src/page.ts';
import type { ShownPage } from '../../../../web/src/shown-page.ts';
import { Html, html } from '../../lib/html.ts';
import { loadBuiltPages } from './built-pages.ts';

export type PageOptions = {
  /** 200 unless said otherwise; for an error page, its own status. */
  status?: number;
  /**
   * The redirect URI at the end of the way that the page's form is a step of. Browsers let a form's answer
   * redirect only where `form-action` allows it.
   */
  redirectUri?: string;
};

/** What a page route says of itself. Pages are not part of the API reference. */
export const reactPageRoute = { schema: { hide: true } } as const;

/**
 * Answers with a page of the web app, drawn here and brought to life in the browser. Works without
 * JavaScript. Its policy allows what we serve, the application's logo, and forms sent to us. A logo that is
 * not at an https address is left out.
 * @see OAuth 2.0 Security Best Current Practice (RFC 9700) §4.16, Content Security Policy Level 3
 */
export async function sendReactPage(
  reply: FastifyReply,
  page: Page,
  { status = page.name === 'error' ? page.status : 200, redirectUri }: PageOptions = {},
): Promise<FastifyReply> {
  const { looking } = reply.request;
  const safePage: ShownPage = { ...withSafeLogo(page), ...(looking ? { looking } : {}) };
  const { render, names } = await loadBuiltPages();
  const { title, markup } = render(safePage);
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <link rel="icon" href="/assets/${names.icon}" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/${names.style}" />
        <script type="module" src="/assets/${names.script}"></script>
      </head>
      <body>
        ${new Html(`<div id="page">${markup}</div>`)}
        ${new Html(`<script type="application/json" id="page-data">${dataOf(safePage)}</script>`)}
      </body>
    </html>`;
  return reply
    .code(status)
    .header('content-security-policy', policyFor(safePage, redirectUri))
    .type('text/html; charset=utf-8')
    .send(document.text);
}

/** JSON that cannot end the element it stands in. @see HTML §4.12.1.3 (restrictions for script elements) */
function dataOf(page: ShownPage): string {
  return JSON.stringify(page).replaceAll('<', '\\u003c');
}

function logoOf(page: Page): string | null {
  return 'application' in page ? (page.application?.logoUrl ?? null) : null;
}

function withSafeLogo(page: Page): Page {
  if (!('application' in page) || !page.application) return page;
  const { logoUrl } = page.application;
  if (logoUrl === null || secureOrigin.test(originOf(logoUrl))) return page;
  return { ...page, application: { ...page.application, logoUrl: null } };
}

/** Nothing that a policy would read as more than an origin: the host of an address may hold a semicolon. */
const plainOrigin = /^https?:\/\/(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/;
const secureOrigin = /^https:\/\/[\w.-]+(?::\d+)?$/;

function originOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : '';
}

function policyFor(page: Page, redirectUri: string | undefined): string {
  const logoUrl = logoOf(page);
  // The one page that asks us for news while it is open.
  const calls = page.name === 'credits' ? `connect-src 'self'; ` : '';
  const images = logoUrl === null ? '' : ` ${originOf(logoUrl)}`;
  const targets = redirectUri === undefined ? '' : targetOf(redirectUri);
  return (
    `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'${images}; ` +
    `${calls}form-action 'self'${targets}; frame-ancestors 'none'; base-uri 'none'`
  );
}

/** The origin of a web address, the scheme of an app's own. */
function targetOf(redirectUri: string): string {
  const origin = originOf(redirectUri);
  if (plainOrigin.test(origin)) return ` ${origin}`;
  return origin === 'null' ? ` ${new URL(redirectUri).protocol}` : '';
}
