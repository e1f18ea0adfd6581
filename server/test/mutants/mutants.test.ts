import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mutants } from './index.ts';
import { countOccurrences } from './mutant.ts';

const root = join(import.meta.dirname, '../../..');

test('every mutant can be made: its text is in its file exactly once, and changes', () => {
  const found = mutants.map(({ name, file, find, replace }) => ({
    name,
    occurrences: countOccurrences(readFileSync(join(root, file), 'utf8'), find),
    isChange: find !== replace,
  }));
  expect(found.filter(({ occurrences, isChange }) => occurrences !== 1 || !isChange)).toEqual([]);
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.length).toBeGreaterThanOrEqual(30);
});
