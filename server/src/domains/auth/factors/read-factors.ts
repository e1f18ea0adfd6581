import { sql } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';

/** What can be shown besides the first factor. */
export type FactorMethod = 'totp' | 'passkey' | 'backup_code';

/** The second factors of a person. `methods` is empty when they have none; backup codes alone are none. */
export type Factors = {
  hasTotp: boolean;
  passkeyCount: number;
  backupCodesLeft: number;
  hasPassword: boolean;
  methods: FactorMethod[];
};

/** Reads which second factors a person has: one statement. `tx` is the service's. */
export async function readFactors(tx: Tx, userId: string): Promise<Factors> {
  const { rows } = await tx.execute<Omit<Factors, 'methods'>>(sql`
    select exists (select from auth.two_factor_auth t
                    where t.user_id = ${userId} and t.enabled_at is not null) as "hasTotp",
           (select count(*)::int from auth.passkeys p where p.user_id = ${userId}) as "passkeyCount",
           (select count(*)::int from auth.backup_codes b
             where b.user_id = ${userId} and b.consumed_at is null) as "backupCodesLeft",
           exists (select from auth.passwords p where p.user_id = ${userId}) as "hasPassword"`);
  const [found] = rows;
  if (!found) throw new Error('a select without a condition has a row');
  const isOn = found.hasTotp || found.passkeyCount > 0;
  const methods: FactorMethod[] = [
    ...(found.hasTotp ? (['totp'] as const) : []),
    ...(found.passkeyCount > 0 ? (['passkey'] as const) : []),
    ...(isOn && found.backupCodesLeft > 0 ? (['backup_code'] as const) : []),
  ];
  return { ...found, methods };
}
