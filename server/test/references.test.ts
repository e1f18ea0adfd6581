import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renderReferences } from '../src/reference/index.ts';
import { cloneDatabase } from './harness/index.ts';

const rootDir = join(import.meta.dirname, '../..');
const references = await renderReferences((await cloneDatabase()).ownerUrl);

test.each(references)('$path is what `npm run reference:generate` writes', async ({ path, text }) => {
  expect(text.length).toBeGreaterThan(500);
  const committed = await readFile(join(rootDir, path), 'utf8');
  expect(firstDifference(committed, text)).toBeUndefined();
});

/** The first line in which two texts differ, both ways; the whole of such a file would bury what is wrong. */
function firstDifference(committed: string, generated: string): object | undefined {
  if (committed === generated) return undefined;
  const [before, after] = [committed.split('\n'), generated.split('\n')];
  const line = after.findIndex((text, index) => text !== before[index]);
  return { line: line + 1, committed: before[line], generated: after[line] };
}
