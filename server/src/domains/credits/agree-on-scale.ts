import { ConfigError } from '../../config.ts';
import type { Ctx } from '../../ctx.ts';

/**
 * Sees to it that amounts keep their meaning: what wallets hold counts units of CREDITS_SCALE, and is not
 * converted. Throws ConfigError when there are wallets that were opened with another scale.
 */
export async function agreeOnScale({ config, db }: Pick<Ctx, 'config' | 'db'>): Promise<void> {
  const { creditsScale } = config;
  const [row] = await db.call<{ decimals: number }>('select credits.agree_on_scale($1) as decimals', [
    creditsScale,
  ]);
  if (row?.decimals === creditsScale) return;
  throw new ConfigError([
    `CREDITS_SCALE: the wallets of this database were opened with ${row?.decimals} decimal places, ` +
      `and with ${creditsScale} each would be worth another sum. Set CREDITS_SCALE=${row?.decimals}.`,
  ]);
}
