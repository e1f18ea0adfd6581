import { afterEach, beforeEach, expect } from 'vitest';
import { startTestService } from './index.ts';
import { expectSound, readOwn, spend } from './movements.ts';
import { startPaymentStandIn } from './payment-stand-in.ts';
import { buyPack } from './stripe-purchases.ts';
import { addWalletHolder, connectAsOwner } from './wallets.ts';

type Pack = { id: string; credits: number; priceCents: number };

const path = '/api/v1/payments/top-up';

/** Two processes with Stripe's stand-in; each test has a wallet holder of its own, and an hour of its own. */
export async function startTopUps() {
  const stage = await openStage();
  return { path, ...stage, ...agreements(stage), ...cards(stage) };
}

type Stage = Awaited<ReturnType<typeof openStage>>;

async function openStage() {
  const standIn = await startPaymentStandIn();
  const env = { ...standIn.settings, CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' };
  const service = await startTestService({ env, clock: standIn.clock });
  const second = await startTestService({ env, shareDatabaseWith: service });
  standIn.deliverTo(service.url);
  const owner = await connectAsOwner(service);
  const stripe = service.ctx.payments.provider('stripe');
  const chargeSavedCard = stripe.chargeSavedCard.bind(stripe);
  const world = {
    holder: await addWalletHolder(service),
    pack: { id: '', credits: 0, priceCents: 0 },
  };
  beforeEach(async () => {
    stripe.chargeSavedCard = chargeSavedCard;
    service.clock.advance({ hours: 1 });
    world.holder = await addWalletHolder(service);
    const packages: Pack[] = (await service.send('GET', '/api/v1/credits/packages')).body;
    world.pack = packages.find(({ id }) => id === 'standard') ?? world.pack;
  });
  afterEach(() => expectSound(service));
  return { standIn, service, second, owner, stripe, chargeSavedCard, world };
}

/** What a person agrees to, has and spends, and what the job makes of it. */
function agreements({ standIn, service, owner, world }: Stage) {
  const agree = async (changes: Record<string, unknown> = {}, token = world.holder.token) => {
    await signInAnew();
    const terms = { packageId: world.pack.id, threshold: 100, monthlyCapCents: 3 * world.pack.priceCents };
    return service.send('PUT', path, { token, body: { ...terms, ...changes } });
  };
  /** Whoever agrees has to have signed in lately. */
  const signInAnew = () =>
    owner.query('update auth.sessions set authenticated_at = $2 where user_id = $1', [
      world.holder.userId,
      service.clock.now(),
    ]);
  const read = async () => (await service.send('GET', path, { token: world.holder.token })).body;
  const balance = async () => (await readOwn(service, world.holder, 'balance')).balance as number;
  const topUps = async (of = world.holder) =>
    (
      await owner.query(
        `select id, status, problem, checkout_id from credits.purchases where user_id = $1 and kind = 'top_up' order by id`,
        [of.userId],
      )
    ).rows;

  async function runJob(name: 'top-up-wallets' | 'check-purchases', at = service): Promise<void> {
    await at.ctx.db.asService((tx) => at.ctx.jobs.enqueue(tx, name, {}));
    await at.ctx.jobs.runDue();
  }

  /** Buys with a card that is kept, and agrees to top-ups. */
  async function agreeWithCard(changes: Record<string, unknown> = {}): Promise<void> {
    await buyPack({ service, standIn }, world.holder, { saveCard: true });
    expect((await agree(changes)).status).toBe(200);
  }

  /** Spends all but so many credits. */
  async function spendDownTo(left: number): Promise<void> {
    const amount = (await balance()) - left;
    if (amount > 0) await spend(service, world.holder, amount);
  }

  return { agree, read, balance, topUps, runJob, agreeWithCard, spendDownTo };
}

/** What the stand-in knows of a person's card and its charges. */
function cards({ standIn, owner, world }: Stage) {
  function cardOf() {
    const { customers, paymentMethods } = standIn.world.state.stripe;
    const email = `${world.holder.userId}@example.com`;
    const customer = Object.values(customers).find((one) => one.email === email);
    const card = Object.values(paymentMethods).find((one) => one.customer === customer?.id);
    if (!card) throw new Error('there is no card');
    return card;
  }

  async function chargeOf(purchaseId: string) {
    const { rows } = await owner.query(
      'select provider_payment_id as id from credits.purchases where id = $1',
      [purchaseId],
    );
    const charges = Object.values(standIn.world.state.stripe.charges);
    const charge = charges.find((one) => one.payment_intent === rows[0].id);
    if (!charge) throw new Error('there is no charge');
    return charge;
  }

  /** How many payments of the customer there are. */
  function intentsOf(): number {
    const { customer } = cardOf();
    return Object.values(standIn.world.state.stripe.paymentIntents).filter(
      (intent) => intent.customer === customer && intent.status === 'succeeded',
    ).length;
  }

  return { cardOf, chargeOf, intentsOf };
}
