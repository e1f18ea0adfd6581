import { afterAll, expect, test } from 'vitest';
import { openBrowser } from './browser.ts';
import { openGallery } from './gallery.ts';
import { openOtherOrigin } from './other-origin.ts';

const gallery = await openGallery();
afterAll(() => gallery.close());
const elsewhere = await openOtherOrigin();
const browser = await openBrowser();

test('no other site can show our pages in a frame', async () => {
  elsewhere.serve('/frame', `<iframe src="${gallery.url}/sign-in"></iframe>`);
  const page = await browser.newPage();
  await page.goto(`${elsewhere.origin}/frame`);
  await expect.poll(() => page.faults.join()).toMatch(/frame-ancestors|X-Frame-Options/);
  expect(await page.frames()[1]?.locator('form').count()).toBe(0);
});

test('no other site can read our pages', async () => {
  const page = await browser.newPage();
  await page.goto(elsewhere.origin);
  const outcome = await page.evaluate(
    (url) =>
      fetch(url, { credentials: 'include' }).then(
        () => 'read',
        () => 'refused',
      ),
    `${gallery.url}/sign-in`,
  );
  expect(outcome).toBe('refused');
});

test('the answer to a form leads out to the redirect URI of the page, and nowhere else', async () => {
  const page = await browser.newPage();
  for (const [redirectUri, isAllowed] of [
    [`${elsewhere.origin}/callback`, true],
    ['https://atlas.example/callback', false],
    ['', false],
  ] as const) {
    const query = new URLSearchParams({
      redirectUri,
      target: `${elsewhere.origin}/callback?code=${isAllowed}`,
    });
    await page.goto(`${gallery.url}/way-out?${query}`);
    await page.getByRole('button').click({ noWaitAfter: true });
    if (isAllowed) await page.waitForURL(`${elsewhere.origin}/**`);
    else await expect.poll(() => page.faults.splice(0).join()).toMatch(/form-action/);
  }
  expect(elsewhere.visits.filter((path) => path.startsWith('/callback'))).toEqual(['/callback?code=true']);
});
