import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { Html, html } from '../../lib/html.ts';

/**
 * The few pages for developers, which work without the web app: one column, no script, in the colours of all
 * other pages.
 */
const style = `
:root { color-scheme: light dark; --ink: #1b2326; --soft: #566064; --paper: #f5f4f1; --card: #ffffff;
  --line: #dcdad4; --edge: #7d868a; --accent: #14505f; --on-accent: #ffffff; --bronze: #8f5f2b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eae8e2; --soft: #a8b0b2; --paper: #0f1619; --card: #172024; --line: #2c383d;
    --edge: #748186; --accent: #8cc8d5; --on-accent: #0b1c21; --bronze: #9c6a33; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; font: 106.25%/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
main { max-width: 34rem; margin: 0 auto; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 1.25rem; }
.face { fill: var(--bronze); }
svg { display: block; width: 2.5rem; margin-bottom: 1.25rem; }
h1 { margin: 0 0 1rem; font-size: 1.625rem; line-height: 1.2; letter-spacing: -0.018em; }
h2 { margin: 0 0 0.25rem; font-size: 1.125rem; }
a { color: var(--accent); overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
label { display: block; margin-bottom: 0.25rem; font-weight: 600; }
input { width: 100%; margin-bottom: 1rem; padding: 0.625rem 0.75rem; font: inherit; color: inherit;
  background: var(--paper); border: 1px solid var(--edge); border-radius: 0.625rem; }
button { padding: 0.625rem 1.25rem; font: inherit; font-weight: 600; color: var(--on-accent);
  background: var(--accent); border: 0; border-radius: 0.625rem; cursor: pointer; }
::placeholder { color: var(--soft); opacity: 1; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.soft { color: var(--soft); }
article { margin-top: 1.5rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
`;

/** Ours, so it stands in the page as it is: the hash fits only this very text. */
const styleElement = new Html(`<style>${style}</style>`);
const styleHash = createHash('sha256').update(style).digest('base64');

const coin = new Html(`<svg viewBox="0 0 32 32" aria-hidden="true"><circle class="face" cx="16"
  cy="16" r="15"/><g fill="#fff7ea"><circle cx="16" cy="9.2" r="2.6"/><path
  d="M5.9 11.8c2.1 3.3 5.7 4.9 10.1 4.9s8-1.6 10.1-4.9c.1 5-4 8.4-10.1 8.4S5.8 16.8 5.9 11.8z"/></g><path
  d="M7.4 23.8q2.15-1.7 4.3 0t4.3 0 4.3 0 4.3 0" fill="none" stroke="#fff7ea" stroke-width="1.4"
  stroke-linecap="round"/></svg>`);

/** Nothing but our one stylesheet, which is named by its hash; forms go to this origin only. */
const pagePolicy =
  `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; ` +
  `base-uri 'none'`;

/** What every page route says of itself. Pages are not part of the API reference. */
export const pageRoute = { config: { contentSecurityPolicy: pagePolicy }, schema: { hide: true } } as const;

export type Page = { title: string; body: Html; status?: number };

/** Answers with a page. */
export function sendPage(reply: FastifyReply, { title, body, status = 200 }: Page): FastifyReply {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} – Obol</title>
        ${styleElement}
      </head>
      <body>
        <main>
          ${coin}
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`;
  return reply.code(status).type('text/html; charset=utf-8').send(document.text);
}
