import { expect, test } from 'vitest';
import type { AppError } from '../errors.ts';
import { assertStorable } from './validation.ts';

test('a body of bytes is not walked through: it is read by whoever knows what it is', () => {
  const body = Buffer.from('{}');
  Object.defineProperty(body, 'each', {
    enumerable: true,
    get: () => {
      throw new Error('somebody looks at each of a million bytes');
    },
  });
  expect(() => assertStorable(body, '/body')).not.toThrow();
});

test('texts that PostgreSQL cannot keep are refused wherever they are', () => {
  for (const value of ['\0', '\ud800'])
    expect(() => assertStorable({ list: [{ text: value }] }, '/body')).toThrow(
      expect.objectContaining({ code: 'request.invalid_text' }) as AppError,
    );
});
