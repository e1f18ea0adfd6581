import { AppError } from '../../errors.ts';

const metadataLengthMax = 8192;

/** Throws `request.invalid` when what an app sends along is longer than the journal keeps. */
export function assertStorableMetadata(metadata: Record<string, unknown> | null | undefined): void {
  if (!metadata || JSON.stringify(metadata).length <= metadataLengthMax) return;
  const message = `must be at most ${metadataLengthMax} characters of JSON`;
  throw new AppError('request.invalid', { errors: [{ path: '/body/metadata', message }] });
}
