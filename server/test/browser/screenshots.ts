import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launchBrowser } from './browser.ts';
import { answerLogo, openGallery } from './gallery.ts';
import { samples } from './samples.ts';

const widths = [1024, 360];
const themes = ['light', 'dark'] as const;

// `npm run screenshots [name …]`: every page, or those named, in both themes and two widths, in
// docs/screenshots; all but the few that documents show are ignored by git.
const dir = join(import.meta.dirname, '../../../docs/screenshots');
const wanted = process.argv.slice(2);
await mkdir(dir, { recursive: true });
const gallery = await openGallery();
const browser = await launchBrowser();
for (const colorScheme of themes) {
  for (const width of widths) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 760 } });
    await answerLogo(context);
    const page = await context.newPage();
    for (const name of Object.keys(samples)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      await page.goto(`${gallery.url}/${name}`);
      await page.screenshot({ path: join(dir, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
await gallery.close();
