import { AppError } from '../errors.ts';

/** Beyond it, in UTC, years have more digits than PostgreSQL reads. */
const lastInstant = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A date, or date and time, of a request as PostgreSQL reads it: a date is its midnight in UTC. Times
 * before 1970 are all the same here, and so are those after the year 9999. Throws `request.invalid` naming
 * the field at `path`.
 */
export function readInstant(text: string, path: string): string {
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) {
    throw new AppError('request.invalid', {
      errors: [{ path, message: 'must be a date or a date and time' }],
    });
  }
  return new Date(Math.min(Math.max(0, milliseconds), lastInstant)).toISOString();
}
