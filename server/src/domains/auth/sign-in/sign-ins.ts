import { sql } from 'drizzle-orm';
import { createGatherer, runUnit, type Database } from '../../../db/index.ts';
import type { RowDocument } from '../../../db/documents.ts';
import type { PreparedSession } from '../open-session.ts';

/** A sign-in by password that may need nothing but its session and a row in the trail. */
export type SignInAtOnce = { session: PreparedSession; hash: string; event: string };

/** What is known of an address; nothing when nobody has it. */
export type Credentials = { user_id: string | null; is_active: boolean | null; hash: string | null };

/** Sign-ins that are under way at the same time, together. */
export type SignIns = {
  /** Whose an address is, and their password. Throws `server.busy`. */
  find(email: string): Promise<Credentials>;
  /**
   * Opens the session of a sign-in if that is all there is to do, and returns the person; else nothing is
   * written, and the sign-in goes its own way. Throws `server.busy`.
   */
  open(signIn: SignInAtOnce): Promise<RowDocument | null>;
  drain(): Promise<void>;
};

/** Each is a subtransaction, of which PostgreSQL keeps 64 at hand. */
const openedMax = { batchMax: 32 };

/** Gathers what sign-ins ask at once into one call of the database. */
export function createSignIns({ db }: { db: Pick<Database, 'asUnit' | 'call'> }): SignIns {
  const finder = createGatherer<string, Credentials>((emails) =>
    db.call<Credentials>('select * from auth.find_credentials_of($1)', [emails]),
  );
  const opener = createGatherer<SignInAtOnce, RowDocument | null>(async (signIns) => {
    const documents = `[${signIns.map(toDocument).join(',')}]`;
    const statement = sql`select auth.sign_in_together(${documents}) as persons`;
    return runUnit(db, statement, async ({ opened }) => opened?.['persons'] as (RowDocument | null)[]);
  }, openedMax);
  return {
    find: finder.ask,
    open: opener.ask,
    async drain() {
      await finder.drain();
      await opener.drain();
    },
  };
}

function toDocument({ session: { rows }, hash, event }: SignInAtOnce): string {
  const devices = rows.devices.map((device) => device.toString('hex'));
  const plain = JSON.stringify({ hash, devices, burstSince: rows.burstSince });
  return `${plain.slice(0, -1)},"session":${rows.session},"token":${rows.firstToken},"event":${event}}`;
}
