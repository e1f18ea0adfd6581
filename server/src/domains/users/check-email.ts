import { AppError } from '../../errors.ts';
import { normalizeEmail } from '../../lib/email.ts';
import { emailPattern } from './schemas.ts';

const pattern = new RegExp(emailPattern, 'u');

/**
 * The form of a new address that is stored. Normalisation can turn a harmless character into a separator (`＠`
 * into `@`), so the result is checked again. `path` is where the request has it. Throws `request.invalid`.
 */
export function checkEmail(email: string, path = '/body/email'): string {
  const normalized = normalizeEmail(email);
  if (pattern.test(normalized)) return normalized;
  throw new AppError('request.invalid', {
    errors: [{ path, message: 'must be an e-mail address' }],
  });
}
