import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { expect, test } from 'vitest';
import { loadConfig, settings } from '../src/config.ts';
import { renderReferences } from '../src/reference/index.ts';
import { cloneDatabase } from './harness/index.ts';

const rootDir = join(import.meta.dirname, '../..');
const references = await renderReferences((await cloneDatabase()).ownerUrl);

test.each(references)('$path is what `npm run reference:generate` writes', async ({ path, text }) => {
  expect(text.length).toBeGreaterThan(500);
  const committed = await readFile(join(rootDir, path), 'utf8');
  expect(firstDifference(committed, text)).toBeUndefined();
});

test('.env.example, with every # taken off, changes nothing', async () => {
  const example = await readFile(join(rootDir, '.env.example'), 'utf8');
  const env = parseEnv(example.replace(/^#(?=[A-Z0-9_]+=)/gm, ''));
  expect(Object.keys(env).toSorted()).toEqual(
    Object.values(settings)
      .map((setting) => setting.env)
      .toSorted(),
  );
  expect(loadConfig(env)).toEqual(loadConfig({}));
});

/** The first line in which two texts differ, both ways; the whole of such a file would bury what is wrong. */
function firstDifference(committed: string, generated: string): object | undefined {
  if (committed === generated) return undefined;
  const [before, after] = [committed.split('\n'), generated.split('\n')];
  const line = after.findIndex((text, index) => text !== before[index]);
  return { line: line + 1, committed: before[line], generated: after[line] };
}
