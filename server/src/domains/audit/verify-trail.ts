import type { Database } from '../../db/index.ts';
import { exactInteger } from '../../lib/exact.ts';

export type TrailFinding = { sequence: number | null; eventId: string; problem: string };

/**
 * The end of the chain: who notes it elsewhere can show later that nothing up to it was cut off or replaced.
 */
export type TrailHead = { sequence: number; hash: string };

export type TrailReport = {
  isSound: boolean;
  /** Links of the chain that were recomputed. */
  seals: number;
  /** Events of the last minute that the chain does not hold yet. */
  waiting: number;
  head: TrailHead | null;
  /** The first of them. */
  findings: TrailFinding[];
};

type LinksRow = { last_sequence: number | null; seals: number; findings: TrailFinding[] };

const sealsMax = 10_000;
const findingsMax = 10;

/**
 * Recomputes the chain over the audit trail from its beginning and names what is off: events that were
 * altered, removed, or came in past the trail, and links that do not fit. `expected` is a head that was
 * noted earlier, hexadecimal; the chain must still hold it. Locks nothing.
 */
export async function verifyTrail(db: Database, expected?: TrailHead): Promise<TrailReport> {
  const findings: TrailFinding[] = [];
  let seals = 0;
  for (let after = 0, count = sealsMax; count === sealsMax;) {
    const [row] = await db.call<LinksRow>('select * from audit.verify_seals($1, $2)', [after, sealsMax]);
    count = exactInteger(row?.seals ?? 0);
    after = exactInteger(row?.last_sequence ?? after);
    seals += count;
    findings.push(...(row?.findings ?? []));
  }
  findings.push(...(await findStrays(db)), ...(await compareHead(db, expected)));
  return {
    isSound: findings.length === 0,
    seals,
    ...(await readEnd(db)),
    findings: findings.slice(0, findingsMax),
  };
}

async function findStrays(db: Database): Promise<TrailFinding[]> {
  const rows = await db.call<{ id: string }>('select audit.find_strays() as id', []);
  return rows.map(({ id }) => ({ sequence: null, eventId: id, problem: 'it came in past the trail' }));
}

async function compareHead(db: Database, expected: TrailHead | undefined): Promise<TrailFinding[]> {
  if (expected === undefined) return [];
  const { rows } = await db.runAsService(
    `select encode(hash, 'hex') as hash, event_id from audit.seals where sequence = $1`,
    [expected.sequence],
  );
  const [seal] = rows as { hash: string; event_id: string }[];
  if (seal?.hash === expected.hash.toLowerCase()) return [];
  const problem = seal ? 'the chain holds another hash here' : 'the chain ends before it';
  return [{ sequence: expected.sequence, eventId: seal?.event_id ?? '', problem }];
}

async function readEnd(db: Database): Promise<Pick<TrailReport, 'waiting' | 'head'>> {
  const { rows } = await db.runAsService(
    `select (select count(*)::integer from audit.unsealed) as waiting, s.sequence, encode(s.hash, 'hex') as hash
       from (values (1)) as one left join lateral (
         select * from audit.seals order by sequence desc limit 1) s on true`,
  );
  const [end] = rows as { waiting: number; sequence: number | null; hash: string | null }[];
  const { waiting = 0, sequence = null, hash = null } = end ?? {};
  return {
    waiting,
    head: sequence === null || hash === null ? null : { sequence: exactInteger(sequence), hash },
  };
}
