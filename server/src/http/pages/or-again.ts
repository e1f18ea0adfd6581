import type { FastifyReply } from 'fastify';
import type { Problem } from '../../../../web/src/page.ts';
import { AppError } from '../../errors.ts';

/** A form that comes again: what was wrong, and the status of the page that says so. */
export type Again = { problem: Problem; status: number };

/**
 * Takes a form, and where that is refused for something that the person can mend, which `problemOf` knows,
 * shows it again with what was wrong. Throws every other refusal.
 */
export async function orAgain(
  take: () => Promise<FastifyReply>,
  again: (refusal: Again) => Promise<FastifyReply>,
  problemOf: (error: unknown) => Problem | undefined,
): Promise<FastifyReply> {
  try {
    return await take();
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || !(error instanceof AppError)) throw error;
    return again({ problem, status: error.status });
  }
}
