import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { RenderPage } from '../../../../web/src/shown-page.ts';
import { loadOnce } from '../../lib/load-once.ts';

const distDir = join(import.meta.dirname, '../../../../web/dist');

const mediaTypes: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export type Asset = { type: string; plain: Buffer; gzipped: Buffer };

/** What the build of web/ has made: the function that draws pages, and what browsers load for them. */
export type BuiltPages = {
  render: RenderPage;
  /** The names of the script, the stylesheet and the icon under /assets. */
  names: { script: string; style: string; icon: string };
  assets: ReadonlyMap<string, Asset>;
};

export class PagesNotBuiltError extends Error {
  constructor() {
    super('The pages are not built. `npm start` builds them by itself; `npm run build` does nothing else.');
    this.name = 'PagesNotBuiltError';
  }
}

/** Throws PagesNotBuiltError, which says what to run. */
export function assertPagesBuilt(dir = distDir): void {
  if (!existsSync(join(dir, 'current'))) throw new PagesNotBuiltError();
}

/** Reads the build, once per process. Throws PagesNotBuiltError. */
export const loadBuiltPages: () => Promise<BuiltPages> = loadOnce(readBuild);

async function readBuild(): Promise<BuiltPages> {
  assertPagesBuilt();
  const dir = join(distDir, await readFile(join(distDir, 'current'), 'utf8'));
  const { renderPage } = (await import(pathToFileURL(join(dir, 'server/render.js')).href)) as {
    renderPage: RenderPage;
  };
  const names = JSON.parse(await readFile(join(dir, 'assets.json'), 'utf8')) as BuiltPages['names'];
  const files = await readdir(join(dir, 'assets'));
  const assets = await Promise.all(
    files.map(async (name) => [name, await readAsset(join(dir, 'assets', name))] as const),
  );
  return { render: renderPage, names, assets: new Map(assets) };
}

async function readAsset(path: string): Promise<Asset> {
  const plain = await readFile(path);
  const type = mediaTypes[extname(path)] ?? 'application/octet-stream';
  return { type, plain, gzipped: await promisify(gzip)(plain, { level: 9 }) };
}
