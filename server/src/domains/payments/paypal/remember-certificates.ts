import type { Ctx } from '../../../ctx.ts';
import type { CertificateMemory } from './certificate-store.ts';

/** Keeps in the database with which certificate PayPal signed last, in each of its modes. */
export function rememberCertificates(
  { db, clock }: Pick<Ctx, 'db' | 'clock'>,
  mode: 'live' | 'sandbox' | 'stand-in',
): CertificateMemory {
  return {
    async read() {
      const [row] = await db.call<{ address: string | null }>(
        'select payments.last_certificate($1) as address',
        [mode],
      );
      return row?.address ?? null;
    },
    async write(address) {
      await db.call('select payments.note_certificate($1, $2, $3)', [mode, address, clock.now()]);
    },
  };
}
