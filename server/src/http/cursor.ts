import { Type } from 'typebox';
import { AppError } from '../errors.ts';

/** The query parameter with which a list goes on from a page. */
export const cursorQuery = {
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: 'From the `Link` of a page: goes on behind its last row. Wins over `offset`.',
    }),
  ),
};

/** A place in a list as clients hand it back: opaque, safe in addresses. */
export function writeCursor(parts: string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** The parts of a cursor that pass these checks, one by one. Throws `request.invalid` for anything else. */
export function readCursor(cursor: string, checks: ((part: string) => boolean)[]): string[] {
  const parts = parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  const fits =
    Array.isArray(parts) &&
    parts.length === checks.length &&
    parts.every((part, index) => typeof part === 'string' && checks[index]?.(part));
  if (fits) return parts as string[];
  throw new AppError('request.invalid', {
    errors: [{ path: '/query/cursor', message: 'must be the cursor of a page' }],
  });
}

const timePattern = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What the parts of cursors are. */
export const cursorParts = {
  time: (part: string) =>
    timePattern.test(part) && !Number.isNaN(Date.parse(part)) && new Date(part).toISOString() === part,
  id: (part: string) => idPattern.test(part),
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
