import { ConfigError } from '../../config.ts';
import type { Ctx } from '../../ctx.ts';

/** What a process does about the scale: `note` it where nothing is noted yet, `compare` alone, or neither. */
export type ScaleDuty = 'note' | 'compare' | 'ignore';

/**
 * Sees to it that amounts keep their meaning: what wallets hold counts units of CREDITS_SCALE, and is not
 * converted. The first process that serves notes its scale. Throws ConfigError when another is noted.
 */
export async function agreeOnScale(
  { config, db, log }: Pick<Ctx, 'config' | 'db' | 'log'>,
  duty: ScaleDuty,
): Promise<void> {
  if (duty === 'ignore') return;
  const { creditsScale } = config;
  let noted = await readNotedScale(db);
  if (noted === null && duty === 'note') {
    const [row] = await db.call<{ decimals: number }>('select credits.agree_on_scale($1) as decimals', [
      creditsScale,
    ]);
    noted = row?.decimals ?? null;
    log.info({ decimals: noted }, 'noted how many decimal places credits have: CREDITS_SCALE stays so');
  }
  if (noted === null || noted === creditsScale) return;
  throw new ConfigError([
    `CREDITS_SCALE: amounts in this database are noted to have ${noted} decimal places, and with ` +
      `${creditsScale} every wallet would be worth another sum. Set CREDITS_SCALE=${noted}; if the note is ` +
      `wrong, stop every process and run \`obol ledger scale ${creditsScale}\`.`,
  ]);
}

/** How many decimal places amounts of this database are noted to have; null when nothing is noted. */
export async function readNotedScale(db: Pick<Ctx['db'], 'call'>): Promise<number | null> {
  const [row] = await db.call<{ decimals: number | null }>('select credits.noted_scale() as decimals', []);
  return row?.decimals ?? null;
}

/**
 * Corrects the note, on a connection of the owner. Says false, and changes nothing, when there are wallets
 * and `keepsAmounts` does not say that it is meant.
 */
export async function correctScale(
  owner: Pick<Ctx['db'], 'call'>,
  decimals: number,
  keepsAmounts: boolean,
): Promise<boolean> {
  const [row] = await owner.call<{ is_done: boolean }>('select credits.correct_scale($1, $2) as is_done', [
    decimals,
    keepsAmounts,
  ]);
  return row?.is_done === true;
}
