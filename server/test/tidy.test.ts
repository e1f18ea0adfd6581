import { describe, expect, test } from 'vitest';
import { fixtures } from './tidy/fixtures/index.ts';
import { rules } from './tidy/index.ts';
import { makeRepository, readRepository, type Finding } from './tidy/repository.ts';

const repository = readRepository();

describe('in this repository', () => {
  test.each(rules)('$name', (rule) => {
    expect(rule.check(repository).map(say)).toEqual([]);
  });
});

describe('the rules find what they forbid, and only that', () => {
  test.each(fixtures)('$rule', ({ rule: name, bad, good, finds }) => {
    const rule = rules.find((candidate) => candidate.name === name);
    const found = rule?.check(makeRepository(bad)).map(say) ?? [];
    for (const expected of finds) expect(found).toContainEqual(expect.stringMatching(expected));
    expect(found.filter((line) => !finds.some((expected) => expected.test(line)))).toEqual([]);
    expect(rule?.check(makeRepository(good)).map(say)).toEqual([]);
  });

  test('every rule is shown by a fixture', () => {
    expect(fixtures.map(({ rule }) => rule).toSorted()).toEqual(rules.map(({ name }) => name).toSorted());
  });

  test('the repository is not empty in the eyes of the rules', () => {
    expect(repository.modules.length).toBeGreaterThan(50);
    expect(repository.files.has('server/src/db/migrations/0001_access.sql')).toBe(true);
    expect(repository.files.has('CONTRIBUTING.md')).toBe(true);
  });
});

function say({ path, line, message }: Finding): string {
  return `${path}:${line} ${message}`;
}
