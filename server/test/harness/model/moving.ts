import { answerOnce, refusedAtOnce } from './answers.ts';
import { byId, makeLot, total, type Kind, type Lot, type NewLot, type Part } from './lot.ts';
import { refuse } from './mandate.ts';
import type { Keyed, Spend } from './spending.ts';
import { side, type Outcome, type Row, type WalletModel } from './wallet.ts';

/** A lot that somebody brought in, by which transaction, and from where: what can be clawed back. */
export type Arrival = { wallet: WalletModel; row: Row; lot: Lot; from: string };

export type Code = {
  text: string;
  amount: number;
  kind: Kind;
  priority: number;
  redemptionsMax: number;
  redemptionsPerUserMax: number;
  lotLifetimeDays: number | undefined;
  expiresAt: number | undefined;
  isRevoked: boolean;
  /** Ids of the wallets that it was redeemed into. */
  redeemed: string[];
};

const dayMs = 86_400_000;
/** What stays in the wallet that it was given to. */
const boundSources = ['signup', 'daily', 'refund'];
/** No app has an empty id. */
const administration = '';
const sources: Record<string, { type: string; from: string }> = {
  gift: { type: 'bonus', from: 'issued:bonus' },
  adjustment: { type: 'adjustment', from: 'adjustments' },
  purchase: { type: 'purchase', from: 'sales:manual' },
  subscription: { type: 'purchase', from: 'sales:manual' },
};

export function grant(
  arrivals: Arrival[],
  wallet: WalletModel,
  { key, ...lot }: NewLot & Keyed,
  now: number,
): Outcome {
  const request = { scope: administration, key, content: JSON.stringify(['grant', lot]) };
  return answerOnce(wallet, request, now, () => {
    if (wallet.status === 'closed') return { refusal: refuse('credits.wallet_inactive') };
    if ((lot.expiresAt ?? Infinity) <= now) return { refusal: refuse('credits.expires_in_past') };
    const { type, from } = sources[lot.source] ?? { type: '', from: '' };
    arrivals.push({ wallet, from, ...wallet.bringIn(lot, type, from, now) });
    return {};
  });
}

export function takeAway(
  wallet: WalletModel,
  { amount, key }: { amount: number } & Keyed,
  now: number,
): Outcome {
  const request = { scope: administration, key, content: JSON.stringify(['take', amount]) };
  return answerOnce(wallet, request, now, () => {
    const parts = wallet.choose(['free', 'paid'], amount);
    const missing = amount - total(parts);
    wallet.debt += missing;
    const owed = [side(`receivable:${wallet.id}`, -missing), side('adjustments', amount)];
    const entries = [...wallet.consume(parts), ...owed];
    wallet.append({ type: 'adjustment', amount: -total(parts), at: now, entries });
    return {};
  });
}

export function redeem(
  arrivals: Arrival[],
  wallet: WalletModel,
  { code, key }: { code: Code } & Keyed,
  now: number,
): Outcome {
  const request = { scope: 'obol', key, content: JSON.stringify(['redeem', code.text]) };
  return answerOnce(wallet, request, now, () => {
    if (wallet.status !== 'active') return { refusal: refuse('credits.wallet_inactive') };
    const used = code.redeemed.filter((id) => id === wallet.id).length;
    if (code.isRevoked || (code.expiresAt ?? Infinity) <= now) {
      return { refusal: refuse('credits.code_invalid') };
    }
    if (used >= code.redemptionsPerUserMax) return { refusal: refuse('credits.code_redeemed') };
    if (code.redeemed.length >= code.redemptionsMax) return { refusal: refuse('credits.code_invalid') };
    const { amount, kind, priority, lotLifetimeDays } = code;
    const expiresAt = lotLifetimeDays === undefined ? null : now + lotLifetimeDays * dayMs;
    const lot = { source: 'gift', kind, amount, priority, expiresAt };
    arrivals.push({
      wallet,
      from: 'issued:bonus',
      ...wallet.bringIn(lot, 'bonus', 'issued:bonus', now),
    });
    code.redeemed.push(wallet.id);
    return {};
  });
}

/** Both wallets are brought up to the moment, whatever comes of it. */
export function transfer(
  source: WalletModel,
  target: WalletModel,
  { amount, key }: { amount: number } & Keyed,
  now: number,
): Outcome {
  if (!target.members.has(source.id)) return refusedAtOnce(source, 'request.not_found');
  target.refresh(now);
  const request = { scope: 'obol', key, content: JSON.stringify(['transfer', amount]) };
  return answerOnce(source, request, now, () => {
    if (source.status !== 'active' || target.status !== 'active') {
      return { refusal: refuse('credits.wallet_inactive') };
    }
    if (source.debt > 0) return { refusal: refuse('credits.in_debt') };
    const parts = source.chooseFrom((lot) => !boundSources.includes(lot.source), amount);
    const available = total(parts);
    if (available < amount) {
      return { refusal: refuse('credits.insufficient', { required: amount, available }) };
    }
    const given = [...source.consume(parts), side('transfers', amount)];
    source.append({ type: 'transfer', amount: -amount, at: now, entries: given });
    const copies = receive(target, parts);
    target.totalEarned += amount;
    const received = [
      ...copies.map((copy) => target.entry(copy.lot, copy.amount)),
      side('transfers', -amount),
    ];
    target.append({ type: 'transfer', amount, at: now, entries: received });
    target.repay([...new Set(copies.map(({ lot }) => lot))], now);
    return {};
  });
}

/** Parts of lots become lots of the target, or let those grow that have come by transfers and are alike. */
function receive(target: WalletModel, parts: Part[]): Part[] {
  const before = target.openLots().filter(({ isTransferred }) => isTransferred);
  return parts.map(({ lot, amount }) => {
    const [alike] = before.filter((other) => isAlike(other, lot)).toSorted(byId);
    if (alike) {
      alike.amount += amount;
      alike.remaining += amount;
      return { lot: alike, amount };
    }
    const copy = { ...makeLot({ ...lot, amount }, lot.createdAt), isTransferred: true };
    target.lots.push(copy);
    return { lot: copy, amount };
  });
}

const isAlike = (left: Lot, right: Lot): boolean =>
  (['source', 'kind', 'priority', 'expiresAt', 'createdAt'] as const).every(
    (member) => left[member] === right[member],
  );

/** Gives a spend back, all that is left of it by default: what was taken last comes back first. */
export function refund(
  spend: Spend,
  { scope, amount, key }: { scope: string; amount: number | undefined } & Keyed,
  now: number,
): Outcome {
  const { wallet, row } = spend;
  if (scope !== administration && scope !== spend.appId) return refusedAtOnce(wallet, 'request.not_found');
  const keyScope = scope === administration ? scope : `app ${scope}`;
  const request = { scope: keyScope, key, content: JSON.stringify(['refund', row.id, amount]) };
  return answerOnce(wallet, request, now, () => {
    const refundable = spend.amount - spend.givenBack;
    const wanted = amount ?? refundable;
    if (wallet.status === 'closed') return { refusal: refuse('credits.wallet_inactive') };
    if (wanted === 0 || wanted > refundable) {
      return { refusal: refuse('credits.refund_exceeds', { refundable }) };
    }
    giveBack(spend, wanted, now);
    return {};
  });
}

function giveBack(spend: Spend, amount: number, now: number): void {
  const { wallet, appId, model, row } = spend;
  const { parts, debt } = partsToReturn(spend, amount);
  const owed = Math.min(debt, wallet.debt);
  const lots = parts.map(({ lot }) => lot);
  const entries = parts.map(({ lot, amount: part }) => {
    lot.remaining += part;
    return wallet.entry(lot, part);
  });
  if (debt > owed) {
    const terms = { source: 'refund', kind: 'free' as const, priority: 100, expiresAt: null };
    const lot = makeLot({ ...terms, amount: debt - owed }, now);
    wallet.lots.push(lot);
    wallet.totalEarned += lot.amount;
    lots.push(lot);
    entries.push(wallet.entry(lot, lot.amount));
  }
  wallet.debt -= owed;
  wallet.totalSpent -= amount;
  spend.givenBack += amount;
  wallet.append({
    type: 'refund',
    amount: total(entries),
    appId,
    at: now,
    entries: [...entries, side(`receivable:${wallet.id}`, owed), side(`revenue:${appId}`, -amount)],
  });
  wallet.countUsage({ at: row.at, appId, model }, -amount, 0);
  giveBackAllowance(spend, amount);
  wallet.repay(lots, now);
  wallet.expireLots(now);
}

/** What comes back of a spend: of what was owed first, then of its lots, the last first. */
function partsToReturn(spend: Spend, amount: number) {
  let [skip, rest] = [spend.givenBack, amount];
  const next = (part: number): number => {
    const skipped = Math.min(part, skip);
    const returned = Math.min(part - skipped, rest);
    skip -= skipped;
    rest -= returned;
    return returned;
  };
  const debt = next(spend.debt);
  const parts = spend.parts.toReversed().map((part) => ({ lot: part.lot, amount: next(part.amount) }));
  return { debt, parts: parts.filter((part) => part.amount > 0) };
}

/** Back to the instants at which the mandate was charged, the latest first. */
function giveBackAllowance({ mandate, charges }: Spend, amount: number): void {
  let rest = amount;
  for (const charge of charges.toSorted((left, right) => right.at - left.at)) {
    const part = Math.min(rest, charge.amount);
    charge.amount -= part;
    rest -= part;
    mandate?.charge(charge.at, -part);
  }
}

/** Takes a lot back: what it has is taken, what expired of it is not owed, the rest is. */
export function clawBack(
  { wallet, row, lot, from }: Arrival,
  { amount, key }: { amount: number | undefined } & Keyed,
  now: number,
): Outcome {
  const request = { scope: administration, key, content: JSON.stringify(['clawBack', row.id, amount]) };
  return answerOnce(wallet, request, now, () => {
    const recoverable = lot.amount - lot.clawedBack;
    const wanted = amount ?? recoverable;
    if (wanted === 0 || wanted > recoverable) {
      return { refusal: refuse('credits.clawback_exceeds', { recoverable }) };
    }
    const taken = Math.min(wanted, lot.remaining - lot.held);
    const unused = Math.min(wanted - taken, lot.expired - lot.clawedBackUnused);
    const owed = wanted - taken - unused;
    lot.remaining -= taken;
    lot.clawedBack += wanted;
    lot.clawedBackUnused += unused;
    wallet.debt += owed;
    const sides = [side('expired', -unused), side(`receivable:${wallet.id}`, -owed), side(from, wanted)];
    const entries = [wallet.entry(lot, -taken), ...sides];
    wallet.append({ type: 'clawback', amount: -taken, at: now, entries });
    return {};
  });
}
