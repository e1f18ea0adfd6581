import type { Ctx } from '../../ctx.ts';
import { creditsAddress } from './credits-address.ts';

/**
 * Where whoever has too few credits can buy more. With what is missing, the page proposes the smallest pack
 * that brings it, one press away from its checkout.
 */
export function topUpAddress(ctx: Pick<Ctx, 'config'>, missing: number): string {
  return creditsAddress(ctx, missing > 0 ? { need: String(missing) } : {});
}
