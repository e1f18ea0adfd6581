import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify from 'fastify';
import type { BrowserContext } from 'playwright-core';
import type { App } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { installHeaders } from '../../src/http/headers.ts';
import { addAssetRoutes } from '../../src/http/pages/assets.ts';
import { addPages } from '../../src/http/pages/page-scope.ts';
import { sendReactPage } from '../../src/http/pages/react-page.ts';
import { logoUrl, samples } from './samples.ts';

export type Gallery = {
  url: string;
  /** What the forms have sent, oldest first. */
  sent: Record<string, string>[];
  close(): Promise<void>;
};

/** Serves every sample at `/<name>` as the service would, without a database; forms lead to `/sent`. */
export async function openGallery(): Promise<Gallery> {
  const app: App = Fastify().withTypeProvider<TypeBoxTypeProvider>();
  const sent: Record<string, string>[] = [];
  installHeaders(app, loadConfig({}));
  addAssetRoutes(app);
  addPages(app, (pages) => {
    for (const [name, page] of Object.entries(samples)) {
      pages.get(`/${name}`, (_request, reply) => sendReactPage(reply, page));
      pages.get(`/${name}/now`, async () => page);
    }
    addWayOut(pages);
    pages.post('/sent', async (request, reply) => {
      sent.push(request.body as Record<string, string>);
      return reply.redirect('/device-done', 303);
    });
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, sent, close: () => app.close() };
}

/** A form whose answer leads to `target`, on a page that says that it ends at `redirectUri`. */
function addWayOut(pages: App): void {
  pages.get('/way-out', (request, reply) => {
    const { redirectUri, target } = request.query as Record<string, string>;
    const form = { action: '/way-out', hidden: { target: target ?? '' } };
    return sendReactPage(
      reply,
      { name: 'verify-email', form, isDone: false, signInUrl: null },
      redirectUri ? { redirectUri } : {},
    );
  });
  pages.post('/way-out', async (request, reply) =>
    reply.redirect((request.body as { target: string }).target, 303),
  );
}

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">
  <rect width="48" height="48" rx="11" fill="#27364f"/>
  <path d="M10 35 20 13l7 14 4-7 7 15z" fill="#f2efe6"/><circle cx="34" cy="13" r="3.5" fill="#e8b45a"/>
</svg>`;

/** Answers the address of the logo, which nobody serves. */
export async function answerLogo(context: BrowserContext): Promise<void> {
  await context.route(logoUrl, (route) => route.fulfill({ contentType: 'image/svg+xml', body: logo }));
}
