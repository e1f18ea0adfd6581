import type { Ctx } from '../../../ctx.ts';

/**
 * Credits that other people can spend. Handed in, because wallets belong to a domain that knows this one.
 */
export type ReadCreditsOf = {
  /** Of one person, at this moment. */
  one(ctx: Ctx, userId: string): Promise<number>;
  /** Of many, as of when each of their wallets was last looked at. */
  many(ctx: Ctx, userIds: string[]): Promise<Map<string, number>>;
};
