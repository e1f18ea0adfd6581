import type { Ctx } from '../../ctx.ts';
import { createGatherer, databaseErrorCode } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { newId } from '../../lib/ids.ts';
import type { Fact, ProviderName } from './fact.ts';
import type { PaymentProvider, ProviderEvent } from './payment-provider.ts';
import { toStorableJson } from './to-storable-json.ts';

/** What came of an event: see `payments.events`. A repeat is one that had been received before. */
export type Verdict = { outcome: string; reason: string | null; isRepeat: boolean };

/** The payment providers that are set up, and the one way in for what they tell. */
export type Payments = {
  /** In the order in which they are offered; the first is the default. */
  providers: readonly PaymentProvider[];
  /** The provider of this name, or the default one. Throws `payments.provider_not_set_up`. */
  provider(name?: ProviderName): PaymentProvider;
  /**
   * Stores an event and applies what it says, in one transaction with those that come at the same time. One
   * that cannot be applied is stored as failed.
   */
  receiveEvent(provider: PaymentProvider, event: ProviderEvent): Promise<Verdict>;
  /**
   * Applies facts that a provider has answered with, each for itself: one that is refused holds up no other.
   * `isOwn` says that they are about checkouts which we have opened for the purchases they name.
   */
  applyFacts(
    provider: Pick<PaymentProvider, 'name' | 'isLive'>,
    facts: Fact[],
    options?: { isOwn?: boolean },
  ): Promise<void>;
  /** How many deliveries wait to be stored. */
  waiting(): number;
  /** Resolves once everything received so far is stored. */
  drain(): Promise<void>;
};

type Delivery = {
  provider: ProviderName;
  isLive: boolean;
  isOwn: boolean;
  facts: Fact[];
  /** Why the event cannot be applied. */
  failure?: string;
  event?: { id: string; providerEventId: string; type: string; happenedAt: Date; payload: unknown };
};

type VerdictRow = { outcome: string; reason: string | null; is_repeat: boolean };

/** So many that a call holds its locks for some tens of milliseconds at most. */
const batchMax = 100;

/** Makes what `ctx.payments` is, of the providers that are set up. */
export function createPayments(
  parts: Pick<Ctx, 'config' | 'db' | 'clock' | 'random' | 'log'>,
  providers: readonly PaymentProvider[],
): Payments {
  const gatherer = createGatherer((batch: Delivery[]) => receive(parts, batch), { batchMax });
  return {
    providers,
    provider(name) {
      const found = name === undefined ? providers[0] : providers.find((one) => one.name === name);
      if (!found) throw new AppError('payments.provider_not_set_up');
      return found;
    },
    receiveEvent({ name }, { id, type, createdAt, isLive, payload, facts, refusal }) {
      const event = { id: newId(parts), providerEventId: id, type, happenedAt: createdAt, payload };
      if (refusal) return keepRefusedEvent(parts, { provider: name, isLive, event, refusal });
      const delivery = { provider: name, isLive, isOwn: false, facts, event };
      return gatherer.ask(delivery).catch((error: unknown) => {
        if (!isUnusable(error)) throw error;
        parts.log.error({ err: error, provider: name, eventId: id }, 'a payment event cannot be applied');
        return gatherer.ask({ ...delivery, failure: databaseErrorCode(error) ?? '' });
      });
    },
    async applyFacts({ name, isLive }, facts, { isOwn = false } = {}) {
      await Promise.all(facts.map((fact) => gatherer.ask({ provider: name, isLive, isOwn, facts: [fact] })));
    },
    waiting: () => gatherer.waiting(),
    drain: () => gatherer.drain(),
  };
}

/** Keeps an event of a provider that says nothing which counts. One that had been received stays as it is. */
async function keepRefusedEvent(
  { db, clock }: Pick<Ctx, 'db' | 'clock'>,
  refused: Pick<Delivery, 'provider' | 'isLive' | 'event'> & { refusal: string },
): Promise<Verdict> {
  const [row] = await db.call<VerdictRow>('select * from payments.keep_refused_event($1, $2)', [
    toStorableJson(refused),
    clock.now(),
  ]);
  if (!row) throw new Error('payments.keep_refused_event returned no row');
  return { outcome: row.outcome, reason: row.reason, isRepeat: row.is_repeat };
}

/**
 * What the database can never take: wrong values, broken rules. Anything else may go better the next time.
 */
const isUnusable = (error: unknown): boolean => /^(22|23|P0)/.test(databaseErrorCode(error) ?? '');

async function receive(
  { config, db, clock }: Pick<Ctx, 'config' | 'db' | 'clock'>,
  batch: Delivery[],
): Promise<Verdict[]> {
  const rows = await db.call<VerdictRow>('select * from payments.receive_events($1, $2, $3, $4)', [
    toStorableJson(batch),
    clock.now(),
    config.creditsDailyFree,
    config.creditsDailyCap,
  ]);
  return rows.map(({ outcome, reason, is_repeat: isRepeat }) => ({ outcome, reason, isRepeat }));
}
