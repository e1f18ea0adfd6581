import { AppError } from '../../errors.ts';
import { exactInteger } from '../../lib/exact.ts';

const metadataLengthMax = 8192;

/**
 * Throws `request.invalid` when what an app sends along is longer than the journal keeps. The database writes
 * every number out in full, so 1e308 counts as 309 characters.
 */
export function assertStorableMetadata(metadata: Record<string, unknown> | null | undefined): void {
  if (!metadata || storedLength(metadata) <= metadataLengthMax) return;
  const message = `must be at most ${metadataLengthMax} characters of JSON, with its numbers written out in full`;
  throw new AppError('request.invalid', { errors: [{ path: '/body/metadata', message }] });
}

function storedLength(metadata: Record<string, unknown>): number {
  let inFull = 0;
  const text = JSON.stringify(metadata, (_key, value: unknown) => {
    if (typeof value === 'number') inFull += Math.abs(exponentOf(value));
    return value;
  });
  return text.length + inFull;
}

/** Of a number that JSON writes with one: about as many digits more. */
function exponentOf(value: number): number {
  return exactInteger(/e\+?(-?\d+)$/.exec(String(value))?.[1] ?? 0);
}
