import { answerOnce, refusedAtOnce, type Decision } from './answers.ts';
import { HoldModel, type HeldPart } from './hold.ts';
import { total, type Kind, type Part } from './lot.ts';
import { refuse, type MandateModel, type Refusal } from './mandate.ts';
import { side, type Outcome, type Row, type WalletModel } from './wallet.ts';

/** Who asks: a person, by their id, or the application, by its client id. */
export type Spender = { id: string; isApp: boolean };

export type Keyed = { key: string | undefined };

/** What a spend or hold is for. */
export type Purpose = { wallet: WalletModel; appId: string; amount: number; model: string | undefined };

/** A spend with what it took of which lot, and what its mandate was charged with when. */
export type Spend = {
  wallet: WalletModel;
  row: Row;
  appId: string;
  model: string;
  /** In the order of the entries. */
  parts: Part[];
  debt: number;
  amount: number;
  givenBack: number;
  mandate: MandateModel | null;
  charges: { at: number; amount: number }[];
};

const bothKinds: Kind[] = ['free', 'paid'];
/** However often a hold is extended. */
const lifeMax = 30 * 86_400_000;

type Taking = { refusal: Refusal } | { parts: Part[]; debt: number };

/** What is asked of a mandate and of the funds. */
type Demand = { amount: number; amountInAll: number; mayOwe?: boolean };

/** The mandate that counts; undefined where none is needed, null where one is missing. */
type Leave = MandateModel | null | undefined;

function decideTaking(wallet: WalletModel, leave: Leave, demand: Demand, now: number): Taking {
  if (wallet.status !== 'active') return { refusal: refuse('credits.wallet_inactive') };
  const { amount, amountInAll, mayOwe = false } = demand;
  if (leave === null) return { refusal: refuse('mandate.required', { reason: 'none' }) };
  const refusal = leave?.judge(amount, amountInAll, now);
  if (refusal) return { refusal };
  const parts = wallet.choose(leave?.terms.kinds ?? bothKinds, amount);
  const available = total(parts);
  const debt = amount - available;
  const debtMax = Math.min(leave?.terms.overrunMax ?? 0, wallet.rules.debtMax);
  if (debt === 0 || (mayOwe && wallet.debt + debt <= debtMax)) return { parts, debt };
  return { refusal: refuse('credits.insufficient', { required: amount, available }) };
}

/** Under whose leave somebody spends; and the refusal of who may not even ask. */
function leaveOf(wallet: WalletModel, spender: Spender): { leave: Leave; code?: string } {
  if (spender.isApp) {
    const leave = wallet.mandates.find(({ status }) => status !== 'revoked') ?? wallet.mandates.at(-1);
    return leave ? { leave } : { leave: null, code: 'mandate.required' };
  }
  if (wallet.isTeam) {
    const leave = wallet.members.get(spender.id);
    return leave ? { leave } : { leave: null, code: 'request.not_found' };
  }
  return wallet.id === spender.id ? { leave: undefined } : { leave: null, code: 'request.not_found' };
}

/** A quote asks the very question that a spend does. */
export function quote(spender: Spender, { wallet, amount }: Purpose, now: number): Refusal | Part[] {
  wallet.refresh(now);
  const { leave, code } = leaveOf(wallet, spender);
  if (code !== undefined) return refuse(code);
  const taking = decideTaking(wallet, leave, { amount, amountInAll: amount }, now);
  return 'refusal' in taking ? taking.refusal : taking.parts;
}

/** Where a key belongs: to the application that asks, or to the app that a person names. */
const scopeOf = (spender: Spender, appId: string): string => (spender.isApp ? `app ${spender.id}` : appId);

export function spend(
  spends: Spend[],
  spender: Spender,
  { wallet, appId, amount, model, key }: Purpose & Keyed,
  now: number,
): Outcome {
  wallet.refresh(now);
  const { leave, code } = leaveOf(wallet, spender);
  if (code !== undefined) return refusedAtOnce(wallet, code);
  const member = wallet.isTeam ? spender.id : null;
  const content = JSON.stringify(['spend', appId, amount, model, member]);
  return answerOnce(wallet, { scope: scopeOf(spender, appId), key, content }, now, () => {
    const taking = decideTaking(wallet, leave, { amount, amountInAll: amount }, now);
    if ('refusal' in taking) return taking;
    const row = { type: 'usage', appId, model: model ?? '', mandate: leave ?? null };
    book(spends, { wallet, ...row, held: [], ...taking, now });
    leave?.charge(now, amount);
    return {};
  });
}

type Booking = Pick<Spend, 'wallet' | 'appId' | 'model' | 'mandate' | 'parts' | 'debt'> & {
  type: string;
  held: HeldPart[];
  now: number;
};

/** Books a spend: parts that were held, parts that were not, and what is owed. */
function book(spends: Spend[], { type, held, now, ...given }: Booking): void {
  const { wallet, appId, model, parts, debt, mandate } = given;
  for (const { lot, amount } of held) lot.remaining -= amount;
  const fromHold = held.map(({ lot, amount }) => ({ account: wallet.account('held'), amount: -amount, lot }));
  const fromLots = wallet.consume(parts);
  const taken = total(held) + total(parts);
  const amount = taken + debt;
  wallet.debt += debt;
  wallet.totalSpent += amount;
  wallet.countUsage({ at: now, appId, model }, amount, 1);
  const last = [side(`receivable:${wallet.id}`, -debt), side(`revenue:${appId}`, amount)];
  const entries = [...fromHold, ...fromLots, ...last];
  const row = wallet.append({ type, amount: -taken, appId, at: now, entries });
  const charges = [
    ...held.map((part) => ({ at: part.chargedAt, amount: part.amount })),
    { at: now, amount: total(parts) + debt },
  ];
  spends.push({ ...given, row, parts: [...held, ...parts], amount, givenBack: 0, mandate, charges });
}

export function placeHold(
  spender: Spender,
  { wallet, appId, amount, model, key, lasts }: Purpose & Keyed & { lasts: number },
  now: number,
): { outcome: Outcome; hold: HoldModel | undefined } {
  wallet.refresh(now);
  const { leave, code } = leaveOf(wallet, spender);
  if (code !== undefined) return { outcome: refusedAtOnce(wallet, code), hold: undefined };
  const member = wallet.isTeam ? spender.id : null;
  const content = JSON.stringify(['hold', appId, amount, model, lasts, member]);
  let hold: HoldModel | undefined;
  const outcome = answerOnce(wallet, { scope: scopeOf(spender, appId), key, content }, now, () => {
    const taking = decideTaking(wallet, leave, { amount, amountInAll: amount }, now);
    if ('refusal' in taking) return taking;
    const given = { wallet, appId, model: model ?? '', mandate: leave ?? null };
    hold = new HoldModel({ ...given, expiresAt: now + lasts * 1000, createdAt: now });
    wallet.holds.push(hold);
    hold.setAside(taking.parts, now);
    return { shown: hold.view() };
  });
  return { outcome, hold };
}

/** Whether somebody may move a hold at all. */
function mayMove(spender: Spender, { wallet, appId, mandate }: HoldModel): boolean {
  if (spender.isApp) return appId === spender.id;
  if (!wallet.isTeam) return wallet.id === spender.id;
  const [owner] = wallet.members.keys();
  return wallet.members.has(spender.id) && (spender.id === owner || mandate?.memberId === spender.id);
}

/** What extending, capturing and voiding have in common; `decide` is asked for an open hold. */
function moveHold(
  spender: Spender,
  hold: HoldModel,
  { key, content }: Keyed & { content: unknown[] },
  now: number,
  decide: (leave: Leave) => Decision,
): Outcome {
  const { wallet } = hold;
  wallet.refresh(now);
  if (!mayMove(spender, hold)) return refusedAtOnce(wallet, 'request.not_found');
  const request = {
    scope: scopeOf(spender, hold.appId),
    key,
    content: JSON.stringify([hold.id, ...content]),
  };
  return answerOnce(wallet, request, now, () => {
    const isVoid = content[0] === 'void';
    if (wallet.status !== 'active' && !isVoid) return { refusal: refuse('credits.wallet_inactive') };
    if (hold.status !== 'open') return { refusal: refuse('hold.closed', { holdStatus: hold.status }) };
    return decide(spender.isApp ? hold.mandate : (hold.mandate ?? undefined));
  });
}

export function extendHold(
  spender: Spender,
  hold: HoldModel,
  { amount, lasts, key }: Keyed & { amount: number | undefined; lasts: number },
  now: number,
): Outcome {
  const content = ['extend', amount, lasts];
  return moveHold(spender, hold, { key, content }, now, (leave) => {
    const endMax = hold.createdAt + lifeMax;
    if (now + lasts * 1000 > endMax) {
      return { refusal: refuse('hold.too_long', { expiresAtMax: new Date(endMax).toISOString() }) };
    }
    const more = amount ?? 0;
    const demand = { amount: more, amountInAll: hold.amount + more };
    const taking = decideTaking(hold.wallet, leave, demand, now);
    if ('refusal' in taking) return taking;
    hold.expiresAt = Math.max(hold.expiresAt, now + lasts * 1000);
    if (more > 0) hold.setAside(taking.parts, now);
    return { shown: hold.view() };
  });
}

export type Capture = { amount: number; isFinal: boolean; overrun: 'refuse' | 'spill' | undefined };

export function captureHold(
  spends: Spend[],
  spender: Spender,
  hold: HoldModel,
  { amount, isFinal, overrun, key }: Keyed & Capture,
  now: number,
): Outcome {
  const content = ['capture', amount, isFinal, overrun];
  return moveHold(spender, hold, { key, content }, now, (leave) => {
    const policy = (leave === undefined ? overrun : leave?.terms.overrun) ?? 'refuse';
    const taking = takeAbove(hold, leave, policy, amount, now);
    if ('refusal' in taking) return taking;
    const { wallet, appId, model, mandate } = hold;
    const held = hold.drain(Math.min(amount, hold.remaining));
    book(spends, { type: 'capture', wallet, appId, model, mandate, held, ...taking, now });
    mandate?.charge(now, amount - total(held));
    hold.captured += amount;
    if (isFinal) hold.end('captured', now);
    return { shown: hold.view() };
  });
}

/** What a capture takes beyond its hold. */
function takeAbove(hold: HoldModel, leave: Leave, policy: string, amount: number, now: number): Taking {
  const { remaining } = hold;
  const above = amount - remaining;
  if (above <= 0) return { parts: [], debt: 0 };
  const demand = { amount: above, amountInAll: hold.captured + amount, mayOwe: policy === 'debt' };
  const taking = decideTaking(hold.wallet, leave, demand, now);
  const isMissing = 'refusal' in taking && taking.refusal.code === 'mandate.required';
  if (policy === 'refuse' && !isMissing) {
    return { refusal: refuse('hold.exceeded', { required: amount, remaining }) };
  }
  if ('refusal' in taking && taking.refusal.code === 'credits.insufficient') {
    const available = Number(taking.refusal.details.available) + remaining;
    return { refusal: refuse('credits.insufficient', { required: amount, available }) };
  }
  return taking;
}

export function voidHold(spender: Spender, hold: HoldModel, { key }: Keyed, now: number): Outcome {
  return moveHold(spender, hold, { key, content: ['void'] }, now, () => {
    hold.end('voided', now);
    return { shown: hold.view() };
  });
}
