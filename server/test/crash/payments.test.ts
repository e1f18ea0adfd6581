import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, expect, test, vi } from 'vitest';
import { startStandIn } from '../../../stand-in/start-stand-in.ts';
import { loadConfig } from '../../src/config.ts';
import { prepareDatabase } from '../../src/db/connect.ts';
import { freePort } from '../../src/db/embedded/server.ts';
import {
  cloneDatabase,
  sendJson,
  startTestService,
  throughPooler,
  type TestService,
} from '../harness/index.ts';
import { expectSound } from '../harness/movements.ts';
import { awaitValue } from './await-value.ts';
import { readReal, registerRealPerson, type RealPerson } from './people.ts';
import { makeScratchDir, startRealService, type RealService } from './real-service.ts';

// The service dies at each step of a payment: what has been paid is granted once it is back, and nothing
// twice.

/** Each test starts the service several times. */
vi.setConfig({ testTimeout: 600_000 });

const OBOL_SECRET = 'test secret, thirty-two characters long';
const database = await cloneDatabase();
const { appUrl } = await prepareDatabase(loadConfig({ OBOL_SECRET }), database.ownerUrl);
const owner = new pg.Client({ connectionString: database.ownerUrl });
await owner.connect();
afterAll(() => owner.end());
const standIn = await startStandIn({ port: 0, clock: { now: () => new Date() }, deliversBySelf: false });
afterAll(() => standIn.stop());
const env = {
  DATA_DIR: await makeScratchDir(),
  OBOL_SECRET,
  DATABASE_OWNER_URL: database.ownerUrl,
  DATABASE_URL: throughPooler(appUrl),
  JWT_ACCESS_TOKEN_EXPIRY: '7d',
  CREDITS_SIGNUP_BONUS: '0',
  CREDITS_DAILY_FREE: '0',
  ...standIn.settings,
};
/** Tokens are for one address. */
const port = await freePort();
let person: RealPerson | undefined;

/** Starts the service; with a fault point it dies when it gets there. */
async function start(faultPoint = ''): Promise<RealService> {
  const service = await startRealService({ port, env: { ...env, FAULT_POINT: faultPoint } });
  standIn.deliverTo(service.url);
  person ??= await registerRealPerson(service.url);
  return service;
}

async function stop(service: RealService): Promise<void> {
  service.kill('SIGTERM');
  await service.exited;
}

/** What a client sees of a service that dies in the middle of its request: nothing. */
async function untilKilled(service: RealService, work: () => Promise<unknown>): Promise<void> {
  await work().catch(() => undefined);
  expect(await service.exited, service.output()).toBeNull();
}

const buy = (service: RealService, idempotencyKey: string) =>
  sendJson(`${service.url}/api/v1/credits/purchase`, 'POST', {
    token: person!.token,
    body: { packageId: 'standard', provider: 'stripe', idempotencyKey },
  });

type Row = {
  id: string;
  status: string;
  posted_credits: string;
  checkout_url: string | null;
  provider_payment_id: string | null;
};

async function purchaseOf(idempotencyKey: string): Promise<Row> {
  const { rows } = await owner.query<Row>('select * from credits.purchases where idempotency_key = $1', [
    idempotencyKey,
  ]);
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

/** Time passes: the job asks the provider about whatever is pending. */
async function recover(): Promise<void> {
  await owner.query(`update credits.purchases set next_check_at = 'epoch' where next_check_at is not null`);
  await owner.query(`set obol.role = 'service'`);
  await owner.query(`select obol.enqueue_job('check-purchases', '{}'::jsonb, interval '0')`);
}

/** Whatever was not taken is sent again at once. */
async function deliverAgain(): Promise<void> {
  standIn.act('retry-now');
  await standIn.deliver();
}

const untilPosted = (key: string, credits: number) =>
  awaitValue(async () => {
    const found = await purchaseOf(key);
    return Number(found.posted_credits) === credits ? found : undefined;
  });

const payable = (key: string) => awaitValue(async () => (await purchaseOf(key)).checkout_url ?? undefined);

test.each(['purchase.begun', 'purchase.opened', 'purchase.attached'])(
  'killed at %s, the purchase is completed by the job, and by the same key',
  async (point) => {
    const key = randomUUID();
    const victim = await start(point);
    await untilKilled(victim, () => buy(victim, key));
    const service = await start();
    await recover();
    const url = await payable(key);
    const again = await buy(service, key);
    expect(again).toMatchObject({ status: 200, body: { checkoutUrl: url } });
    await standIn.choose(url, 'pay');
    await recover();
    await untilPosted(key, 1000);
    await deliverAgain();
    await expectGranted(service);
    await stop(service);
  },
);

test.each(['purchase.read', 'purchase.applied'])(
  'killed at %s, what was paid is granted once',
  async (point) => {
    const key = randomUUID();
    const victim = await start(point);
    const { body } = await buy(victim, key);
    await standIn.choose(body.checkoutUrl, 'pay');
    await untilKilled(victim, () => readReal(victim.url, person!, `purchase/${body.purchaseId}`));
    const service = await start();
    await recover();
    await untilPosted(key, 1000);
    await deliverAgain();
    await expectGranted(service);
    await stop(service);
  },
);

test.each(['webhook.verified', 'webhook.stored'])(
  'killed at %s, each event counts once when it comes again',
  async (point) => {
    const key = randomUUID();
    let service = await start();
    const { body } = await buy(service, key);
    await stop(service);
    await standIn.choose(body.checkoutUrl, 'pay');
    const victim = await start(point);
    await untilKilled(victim, deliverAgain);
    service = await start();
    await deliverAgain();
    const { provider_payment_id: payment } = await untilPosted(key, 1000);
    await stop(service);

    standIn.act('refund', { payment: payment!, amountCents: 400 });
    const second = await start(point);
    await untilKilled(second, deliverAgain);
    service = await start();
    await deliverAgain();
    await untilPosted(key, 600);
    await expectGranted(service);
    await stop(service);
  },
);

/** What the wallet holds is what the provider has taken and not given back, at a credit for each cent. */
async function expectGranted(service: RealService): Promise<void> {
  const { charges } = standIn.world.state.stripe;
  const kept = Object.values(charges).reduce(
    (sum, { amount, amount_refunded: back }) => sum + amount - back,
    0,
  );
  expect(await readReal(service.url, person!, 'balance')).toMatchObject({ balance: kept, debt: 0 });
}

test('the ledger is sound after all that', async () => {
  const shareDatabaseWith = { ...database, backendEnv: {} } as TestService;
  const service = await startTestService({ shareDatabaseWith, env: { CREDITS_DAILY_FREE: '0' } });
  await expectSound(service);
  const { rows } = await owner.query(`select p.id from credits.purchases p
    where p.posted_credits <> (select coalesce(sum(o.amount), 0) from payments.postings o where o.purchase_id = p.id)`);
  expect(rows).toEqual([]);
});
