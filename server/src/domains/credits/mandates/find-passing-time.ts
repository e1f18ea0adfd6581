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
 * come in, and debts are repaid.
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

type Lot = Omit<ProspectLot, 'expiresAt'> & { expiresAt: number };
type Hold = {
  isCharged: boolean;
  expiresAt: number;
  parts: { lotId: string; amount: number; chargedAt: number }[];
};
type State = {
  debt: number;
  totalEarned: number;
  nextDailyAt: number;
  lots: Lot[];
  holds: Hold[];
  used: number;
  periodStartedAt: number;
  resetsAt: number;
};

function startFrom(prospect: Prospect, { mandate }: Question): State {
  return {
    debt: prospect.debt,
    totalEarned: prospect.totalEarned,
    nextDailyAt: Date.parse(prospect.nextDailyAt),
    lots: prospect.lots.map((lot) => ({ ...lot, expiresAt: timeOf(lot.expiresAt) })),
    holds: prospect.holds.map((hold) => ({
      isCharged: mandate !== null && hold.mandateId === mandate.id,
      expiresAt: Date.parse(hold.expiresAt),
      parts: hold.parts.map((part) => ({ ...part, chargedAt: Date.parse(part.chargedAt) })),
    })),
    used: mandate?.used ?? 0,
    periodStartedAt: timeOf(mandate?.periodStartedAt ?? null),
    resetsAt: timeOf(mandate?.resetsAt ?? null),
  };
}

const timeOf = (text: string | null): number => (text === null ? Infinity : Date.parse(text));

function nextEvent({ nextDailyAt, holds, resetsAt }: State): number {
  return Math.min(nextDailyAt, resetsAt, ...holds.map(({ expiresAt }) => expiresAt));
}

/** Everything that happens up to and at an instant, which is that of the next event. */
function passTo(state: State, question: Question, at: number): void {
  if (state.resetsAt <= at) beginPeriod(state, question);
  for (const hold of state.holds.filter(({ expiresAt }) => expiresAt <= at)) endHold(state, hold, at);
  state.holds = state.holds.filter(({ expiresAt }) => expiresAt > at);
  for (const lot of state.lots) {
    if (lot.expiresAt <= at) lot.remaining = lot.held;
  }
  state.lots = state.lots.filter(({ remaining }) => remaining > 0);
  if (state.nextDailyAt <= at) grantDaily(state, question);
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

/** Gives back to the lots, which may have expired, and to the allowance of the period that was charged. */
function endHold(state: State, hold: Hold, at: number): void {
  const touched = new Set<Lot>();
  for (const { lotId, amount, chargedAt } of hold.parts) {
    const lot = state.lots.find(({ id }) => id === lotId);
    if (!lot) throw new Error(`a hold on the unknown lot ${lotId}`);
    lot.held -= amount;
    if (lot.expiresAt <= at) lot.remaining = lot.held;
    touched.add(lot);
    if (hold.isCharged && chargedAt >= state.periodStartedAt) state.used -= amount;
  }
  repayDebt(
    state,
    state.lots.filter((lot) => touched.has(lot)),
  );
}

function grantDaily(state: State, { dailyFree, dailyCap }: Question): void {
  const unspent = state.lots.reduce((sum, lot) => sum + (lot.isDaily ? lot.remaining : 0), 0);
  const amount = Math.min(dailyFree, dailyCap - unspent, Number.MAX_SAFE_INTEGER - state.totalEarned);
  const id = `daily at ${state.nextDailyAt}`;
  state.nextDailyAt += dayMs;
  if (amount <= 0) return;
  state.totalEarned += amount;
  const lot = { id, kind: 'free', remaining: amount, held: 0, isDaily: true, expiresAt: Infinity };
  state.lots.push(lot);
  repayDebt(state, [lot]);
}

function repayDebt(state: State, lots: Lot[]): void {
  for (const lot of lots) {
    const part = Math.min(state.debt, lot.remaining - lot.held);
    state.debt -= part;
    lot.remaining -= part;
  }
}

function wouldPass({ lots, used }: State, { amount, mandate }: Question): boolean {
  if (mandate && used + amount > mandate.allowance) return false;
  const funds = lots
    .filter(({ kind }) => !mandate || mandate.kinds.includes(kind))
    .reduce((sum, { remaining, held }) => sum + remaining - held, 0);
  return funds >= amount;
}
