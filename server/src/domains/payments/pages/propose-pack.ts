import type { NeedView, PackView } from '../../../../../web/src/credits-pages.ts';

/**
 * The smallest pack that brings so many credits, the cheaper one of two; none when no pack is large enough.
 */
export function proposePack(packs: readonly PackView[], missing: number): NeedView {
  const [pack = null] = packs
    .filter(({ credits }) => credits >= missing)
    .sort((one, other) => one.credits - other.credits || one.priceCents - other.priceCents);
  return { missing, pack };
}
