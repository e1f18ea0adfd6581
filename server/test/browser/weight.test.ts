import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { loadBuiltPages } from '../../src/http/pages/built-pages.ts';
import { openGallery } from './gallery.ts';

const gallery = await openGallery();
afterAll(() => gallery.close());

test('script and stylesheet are small, never change under their name, and come compressed', async () => {
  const { names: files } = await loadBuiltPages();
  for (const [name, maxBytes] of [
    [files.script, 95_000],
    [files.style, 8000],
  ] as const) {
    const answer = await fetch(`${gallery.url}/assets/${name}`);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    const plain = Buffer.from(await answer.arrayBuffer());
    expect(gzipSync(plain, { level: 9 }).length, name).toBeLessThan(maxBytes);
    const { assets } = await loadBuiltPages();
    expect(gunzipSync(assets.get(name)?.gzipped ?? '').equals(plain)).toBe(true);
  }
  const plain = await fetch(`${gallery.url}/assets/${files.icon}`, {
    headers: { 'accept-encoding': 'identity' },
  });
  expect(plain.headers.get('content-encoding')).toBeNull();
  expect(plain.headers.get('content-type')).toBe('image/svg+xml');
  expect((await fetch(`${gallery.url}/assets/manifest.json`)).status).toBe(404);
});
