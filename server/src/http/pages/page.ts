import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { Html, html } from '../../lib/html.ts';

/** The few pages that work before, and without, the web app: one column, no script, light and dark. */
const style = `
:root { color-scheme: light dark; --ink: #101828; --soft: #475467; --paper: #f5f6f8; --card: #ffffff;
  --line: #d0d5dd; --accent: #1f4fd8; --on-accent: #ffffff; --bad: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f2f4f7; --soft: #a9b1bd; --paper: #0d1117; --card: #171c24; --line: #39414d;
    --accent: #84a9ff; --on-accent: #0d1117; --bad: #ff9c92; }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
main { max-width: 34rem; margin: 0 auto; padding: 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 0.75rem; }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 0 0 0.25rem; font-size: 1.125rem; }
a { color: var(--accent); overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
label { display: block; margin-bottom: 0.25rem; font-weight: 600; }
input { width: 100%; margin-bottom: 1rem; padding: 0.625rem 0.75rem; font: inherit; color: inherit;
  background: var(--paper); border: 1px solid var(--soft); border-radius: 0.5rem; }
button { padding: 0.625rem 1.25rem; font: inherit; font-weight: 600; color: var(--on-accent);
  background: var(--accent); border: 0; border-radius: 0.5rem; cursor: pointer; }
::placeholder { color: var(--soft); opacity: 1; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.soft { color: var(--soft); }
.bad { color: var(--bad); font-weight: 600; }
article { margin-top: 1.5rem; padding-top: 1.5rem; border-top: 1px solid var(--line); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
`;

/** Ours, so it stands in the page as it is: the hash fits only this very text. */
const styleElement = new Html(`<style>${style}</style>`);
const styleHash = createHash('sha256').update(style).digest('base64');

/** Nothing but our one stylesheet, which is named by its hash; forms go to this origin only. */
export const pagePolicy =
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
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`;
  return reply.code(status).type('text/html; charset=utf-8').send(document.text);
}
