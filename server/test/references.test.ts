import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderReferences } from '../src/reference/index.ts';
import { cloneDatabase } from './harness/index.ts';

const rootDir = join(import.meta.dirname, '../..');
const references = await renderReferences((await cloneDatabase()).ownerUrl);

test.each(references)('$path is what `npm run reference:generate` writes', async ({ path, text }) => {
  expect(text.length).toBeGreaterThan(500);
  expect(await readFile(join(rootDir, path), 'utf8')).toBe(text);
});
