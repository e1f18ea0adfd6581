import { expect, test } from 'vitest';
import { divideUp, epochSeconds, exactInteger } from './exact.ts';

test.each(['0', '-1', '42', '9007199254740991', '-9007199254740991', 7])('%s is read exactly', (value) => {
  expect(String(exactInteger(value))).toBe(String(value));
});

test.each([
  '',
  '1.5',
  '1e3',
  '9007199254740992',
  '-9007199254740992',
  'NaN',
  null,
  undefined,
  0.1,
  '0x10',
  ' 1',
])('%s is not an exact whole number', (value) => {
  expect(() => exactInteger(value)).toThrow(RangeError);
});

test.each([
  [1, 1, 1],
  [100, 100, 1],
  [101, 100, 2],
  [99_999_999_999_999, 7, 14_285_714_285_715],
  [9_007_199_254_740_991, 2, 4_503_599_627_370_496],
])('%d goes into parts of %d, rounded up: %d', (dividend, divisor, parts) => {
  expect(divideUp(dividend, divisor)).toBe(parts);
});

test('seconds are counted whole', () => {
  expect(epochSeconds(new Date(1999))).toBe(1);
});
