import { AppError } from '../../errors.ts';

/** Waits for a removal; that there was nothing to remove any more is what was wanted. Throws other refusals. */
export async function unlessGone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'request.not_found') throw error;
  }
}
