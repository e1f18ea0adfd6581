/** What a wallet will become by itself; times are ISO 8601. */
export type Prospect = {
  debt: number;
  totalEarned: number;
  nextDailyAt: string;
  lots: ProspectLot[];
  holds: ProspectHold[];
};
type ProspectLot = {
  id: string;
  kind: string;
  remaining: number;
  held: number;
  isDaily: boolean;
  expiresAt: string | null;
};
type ProspectHold = {
  mandateId: string | null;
  expiresAt: string;
  parts: { lotId: string; amount: number; chargedAt: string }[];
};

/** The terms that a spend is judged by; null for a person's own. */
export type ProspectMandate = {
  id: string;
  allowance: number;
  used: number;
  maxPerSpend: number | null;
  kinds: string[];
  period: string;
  periodStartedAt: string;
  resetsAt: string | null;
  expiresAt: string | null;
} | null;

export type Question = {
  amount: number;
  now: number;
  dailyFree: number;
  dailyCap: number;
  mandate: ProspectMandate;
};

const dayMs = 86_400_000;
/** How far ahead is looked: beyond it "in more than a year" is as good as never. */
const horizonMs = 400 * dayMs;

/**
 * The first instant at which a spend that is refused now would pass if nobody did anything until then: as
 * daily credits come in, holds expire and periods begin; undefined if that is never, or more than a year
 * away. Time does here what it does in the ledger: at one instant holds end first, then lots, then credits
 * come in, and debts are repaid. Each lot and hold is looked at once, in the order of their ends.
 */
export function findPassingTime(prospect: Prospect, question: Question): string | undefined {
  const state = startFrom(prospect, question);
  const { mandate, amount } = question;
  if (mandate && (mandate.maxPerSpend ?? amount) < amount) return undefined;
  if (mandate && mandate.allowance < amount) return undefined;
  for (let at = nextEvent(state); at <= question.now + horizonMs; at = nextEvent(state)) {
    if (mandate?.expiresAt && Date.parse(mandate.expiresAt) <= at) return undefined;
    passTo(state, question, at);
    if (wouldPass(state, question)) return new Date(at).toISOString();
  }
  return undefined;
}

type Lot = Omit<ProspectLot, 'expiresAt'> & { expiresAt: number; isAllowed: boolean; place: number };
type Hold = {
  isCharged: boolean;
  expiresAt: number;
  parts: { lotId: string; amount: number; chargedAt: number }[];
};
type State = {
  debt: number;
  totalEarned: number;
  nextDailyAt: number;
  lots: Map<string, Lot>;
  /** Lots that expire and holds, by their ends, the first one last; those that are over are gone. */
  expiring: Lot[];
  holds: Hold[];
  /** What lots of the kinds allowed have that is not held, and what daily ones have at all. */
  funds: number;
  dailyUnspent: number;
  used: number;
  periodStartedAt: number;
  resetsAt: number;
};

function startFrom(prospect: Prospect, { mandate }: Question): State {
  const lots = prospect.lots.map((lot, place) => ({
    ...lot,
    place,
    expiresAt: timeOf(lot.expiresAt),
    isAllowed: !mandate || mandate.kinds.includes(lot.kind),
  }));
  const holds = prospect.holds.map((hold) => ({
    isCharged: mandate !== null && hold.mandateId === mandate.id,
    expiresAt: Date.parse(hold.expiresAt),
    parts: hold.parts.map((part) => ({ ...part, chargedAt: Date.parse(part.chargedAt) })),
  }));
  return {
    debt: prospect.debt,
    totalEarned: prospect.totalEarned,
    nextDailyAt: Date.parse(prospect.nextDailyAt),
    lots: new Map(lots.map((lot) => [lot.id, lot])),
    expiring: lots.filter(({ expiresAt }) => expiresAt < Infinity).toSorted(lastFirst),
    holds: holds.toSorted(lastFirst),
    funds: lots.reduce((sum, lot) => sum + (lot.isAllowed ? lot.remaining - lot.held : 0), 0),
    dailyUnspent: lots.reduce((sum, lot) => sum + (lot.isDaily ? lot.remaining : 0), 0),
    used: mandate?.used ?? 0,
    periodStartedAt: timeOf(mandate?.periodStartedAt ?? null),
    resetsAt: timeOf(mandate?.resetsAt ?? null),
  };
}

type Ending = { expiresAt: number };
const lastFirst = (one: Ending, other: Ending): number => other.expiresAt - one.expiresAt;
const timeOf = (text: string | null): number => (text === null ? Infinity : Date.parse(text));

function nextEvent({ nextDailyAt, holds, resetsAt }: State): number {
  return Math.min(nextDailyAt, resetsAt, holds.at(-1)?.expiresAt ?? Infinity);
}

/** Everything that happens up to and at an instant, which is that of the next event. */
function passTo(state: State, question: Question, at: number): void {
  if (state.resetsAt <= at) beginPeriod(state, question);
  expireLots(state, at - 1);
  for (let hold = takeDue(state.holds, at); hold; hold = takeDue(state.holds, at)) endHold(state, hold, at);
  expireLots(state, at);
  if (state.nextDailyAt <= at) grantDaily(state, question);
}

/** Lets go of what is not held of lots that expire at or before an instant. */
function expireLots(state: State, at: number): void {
  for (let lot = takeDue(state.expiring, at); lot; lot = takeDue(state.expiring, at)) {
    changeLot(state, lot, lot.held - lot.remaining, 0);
  }
}

/** The next one that is over at an instant, which is gone from the list then. */
function takeDue<T extends Ending>(ending: T[], at: number): T | undefined {
  const next = ending.at(-1);
  return next && next.expiresAt <= at ? ending.pop() : undefined;
}

function changeLot(state: State, lot: Lot, remainingChange: number, heldChange: number): void {
  lot.remaining += remainingChange;
  lot.held += heldChange;
  if (lot.isAllowed) state.funds += remainingChange - heldChange;
  if (lot.isDaily) state.dailyUnspent += remainingChange;
}

function beginPeriod(state: State, { mandate }: Question): void {
  state.used = 0;
  state.periodStartedAt = state.resetsAt;
  state.resetsAt = nextPeriodStart(mandate?.period ?? 'total', state.resetsAt);
}

/** The beginning of the calendar period (UTC) after the one that begins at `start`. */
function nextPeriodStart(period: string, start: number): number {
  if (period === 'day') return start + dayMs;
  if (period === 'week') return start + 7 * dayMs;
  const date = new Date(start);
  return period === 'month' ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) : Infinity;
}

/**
 * Gives back to the lots and to the allowance of the period that was charged; what comes back repays what is
 * owed, and the rest goes where its lot has expired.
 */
function endHold(state: State, hold: Hold, at: number): void {
  const touched = new Set<Lot>();
  for (const { lotId, amount, chargedAt } of hold.parts) {
    const lot = state.lots.get(lotId);
    if (!lot) throw new Error(`a hold on the unknown lot ${lotId}`);
    changeLot(state, lot, 0, -amount);
    touched.add(lot);
    if (hold.isCharged && chargedAt >= state.periodStartedAt) state.used -= amount;
  }
  repayDebt(
    state,
    [...touched].toSorted((one, other) => one.place - other.place),
  );
  for (const lot of touched) {
    if (lot.expiresAt <= at) changeLot(state, lot, lot.held - lot.remaining, 0);
  }
}

function grantDaily(state: State, { dailyFree, dailyCap, mandate }: Question): void {
  const countable = Number.MAX_SAFE_INTEGER - state.totalEarned;
  const amount = Math.min(dailyFree, dailyCap - state.dailyUnspent, countable);
  state.nextDailyAt += dayMs;
  if (amount <= 0) return;
  state.totalEarned += amount;
  const isAllowed = !mandate || mandate.kinds.includes('free');
  const granted = { id: '', kind: 'free', remaining: 0, held: 0, isDaily: true, expiresAt: Infinity };
  const lot: Lot = { ...granted, isAllowed, place: state.lots.size };
  changeLot(state, lot, amount, 0);
  repayDebt(state, [lot]);
}

function repayDebt(state: State, lots: Lot[]): void {
  for (const lot of lots) {
    const part = Math.min(state.debt, lot.remaining - lot.held);
    state.debt -= part;
    changeLot(state, lot, -part, 0);
  }
}

function wouldPass({ funds, used }: State, { amount, mandate }: Question): boolean {
  return funds >= amount && !(mandate && used + amount > mandate.allowance);
}
