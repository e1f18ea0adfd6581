import { sql } from 'drizzle-orm';
import type { Caller, Tx } from '../../../db/index.ts';
import type { AuthenticationMethod } from '../sign-in/acr-of.ts';

/** Notes that the person of this session has just shown a new second factor, by setting it up. */
export async function strengthenSession(
  tx: Tx,
  { userId, sessionId }: Caller,
  methods: AuthenticationMethod[],
): Promise<void> {
  const shown = sql.param([...methods, 'mfa']);
  await tx.execute(sql`
    update auth.sessions s
       set amr = array(select distinct m from unnest(s.amr || ${shown}::text[]) m order by m)
     where s.id = ${sessionId} and s.user_id = ${userId}`);
}
