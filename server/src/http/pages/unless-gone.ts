import { AppError } from '../../errors.ts';

/** Waits for a removal. Nothing to remove any more is what was wanted; throws other refusals. */
export async function unlessGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'request.not_found') throw error;
  }
}
