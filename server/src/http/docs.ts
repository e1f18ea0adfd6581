import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import Fastify from 'fastify';
import type { App } from '../app.ts';
import { errorTable } from '../errors.ts';
import { html, type Html } from '../lib/html.ts';
import { loadOnce } from '../lib/load-once.ts';
import { pageRoute, sendPage } from './pages/page.ts';

/** The reference draws itself with inline styles, and loads everything from here. */
const referencePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
  "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const referencePage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Obol API</title>
  </head>
  <body>
    <div id="reference"></div>
    <script src="/docs/scalar.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

/** Nothing is fetched from outside: no fonts, no proxy, no telemetry, no assistant. */
const startScript = `Scalar.createApiReference('#reference', ${JSON.stringify({
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  authentication: { preferredSecurityScheme: 'bearer' },
  hideClientButton: true,
  showDeveloperTools: 'never',
  documentDownloadType: 'direct',
})});
`;

/**
 * The API reference at `/docs`, where the bare address leads too, and at `/docs/errors` the page that the
 * `type` of every problem document leads to.
 */
export function addDocsRoutes(app: App): void {
  const schema = { hide: true };
  const contentSecurityPolicy = referencePolicy;
  app.get('/', { schema }, async (_request, reply) => reply.redirect('/docs'));
  app.get('/docs', { schema, config: { contentSecurityPolicy } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(referencePage),
  );
  app.get('/docs/start.js', { schema }, async (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').header('cache-control', 'no-cache').send(startScript),
  );
  const loadScript = loadOnce(loadReferenceScript);
  app.get('/docs/scalar.js', { schema }, async (_request, reply) => {
    const script = await loadScript();
    return reply
      .type('text/javascript; charset=utf-8')
      .header('content-encoding', 'gzip')
      .header('cache-control', 'public, max-age=86400')
      .send(script);
  });
  app.get('/docs/errors', pageRoute, (_request, reply) =>
    sendPage(reply, { title: 'Errors', body: errorsBody }),
  );
}

/**
 * The script of the reference, compressed. Its package hands it out through a plugin only, and loading it
 * takes 40 MB, so it is registered on an app of its own when somebody first opens the page.
 */
async function loadReferenceScript(): Promise<Buffer> {
  const { default: reference } = await import('@scalar/fastify-api-reference');
  const carrier = Fastify();
  await carrier.register(reference, { routePrefix: '/docs', configuration: { url: '/openapi.json' } });
  const { body } = await carrier.inject('/docs/js/scalar.js');
  await carrier.close();
  return promisify(gzip)(body);
}

const errorsBody = html`<p>
    A refusal is a problem document (RFC 9457). Its <code>code</code> is stable; act on that.
  </p>
  ${Object.entries(errorTable).map(
    ([code, { status, title, detail }]) =>
      html`<article id="${code}">
        <h2><code>${code}</code></h2>
        <p><b>${status}</b> ${title}.</p>
        <p class="soft">${withCode(detail)}</p>
      </article>`,
  )}`;

/** What stands between backticks becomes code. */
function withCode(text: string): Html {
  return text
    .split('`')
    .reduce(
      (before, part, index) =>
        index % 2 === 0 ? html`${before}${part}` : html`${before}<code>${part}</code>`,
      html``,
    );
}
