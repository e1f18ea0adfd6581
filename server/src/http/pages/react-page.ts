import type { FastifyReply } from 'fastify';
import type { Page } from '../../../../web/src/page.ts';
import { Html, html } from '../../lib/html.ts';

export type PageOptions = {
  status?: number;
  /**
   * The redirect URI at the end of the way that the page's form is a step of. Browsers let a form's answer
   * redirect only where `form-action` allows it.
   */
  redirectUri?: string;
};

/** What a page route says of itself. Pages are not part of the API reference. */
export const reactPageRoute = { schema: { hide: true } } as const;

/** Answers with a page of the web app, drawn here, brought to life in the browser. */
export async function sendReactPage(
  reply: FastifyReply,
  page: Page,
  { status = 200, redirectUri }: PageOptions = {},
): Promise<FastifyReply> {
  const data = JSON.stringify(page).replaceAll('<', '\\u003c');
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${page.name} – Obol</title>
      </head>
      <body>
        <main id="page"></main>
        ${new Html(`<script type="application/json" id="data">${data}</script>`)}
      </body>
    </html>`;
  return reply
    .code(status)
    .header('content-security-policy', policyFor(redirectUri))
    .type('text/html; charset=utf-8')
    .send(document.text);
}

function policyFor(redirectUri: string | undefined): string {
  const targets = redirectUri === undefined ? '' : ` ${targetOf(redirectUri)}`;
  return (
    `default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'${targets}; ` +
    `frame-ancestors 'none'; base-uri 'none'`
  );
}

/** The origin of a web address, the scheme of any other. */
function targetOf(redirectUri: string): string {
  const { protocol, origin } = new URL(redirectUri);
  return origin === 'null' ? protocol : origin;
}
