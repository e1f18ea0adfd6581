import { AppError } from '../../../errors.ts';

/** The refusal of one field: `request.invalid`. `path` is a JSON pointer into the request. */
export function invalidField(path: string, message: string): AppError {
  return new AppError('request.invalid', { errors: [{ path, message }] });
}
