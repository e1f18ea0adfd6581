import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { AppError } from '../../../errors.ts';

/**
 * What JavaScript put into the field of a form, if it has the form of this schema. Throws
 * `auth.passkey_invalid`.
 */
export function readPasskeyField<T extends TSchema>(schema: T, text: string): Static<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AppError('auth.passkey_invalid', { cause: error });
  }
  if (!Value.Check(schema, value)) throw new AppError('auth.passkey_invalid');
  return value;
}
