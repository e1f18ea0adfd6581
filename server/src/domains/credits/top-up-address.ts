import type { Ctx } from '../../ctx.ts';

/**
 * Where whoever has too few credits can buy more. With what is missing, the page proposes the smallest pack
 * that brings it, one press away from its checkout.
 */
export function topUpAddress({ config }: Pick<Ctx, 'config'>, missing: number): string {
  return `${config.appUrl}/credits${missing > 0 ? `?need=${missing}` : ''}`;
}
