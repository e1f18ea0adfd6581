import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, expect } from 'vitest';
import { startStandIn } from '../../../stand-in/start-stand-in.ts';
import { idOf } from '../../../stand-in/stripe/wire.ts';
import { loadConfig } from '../../src/config.ts';
import { prepareDatabase } from '../../src/db/connect.ts';
import { freePort } from '../../src/db/embedded/server.ts';
import type { JobName } from '../../src/jobs/queues.ts';
import type { FaultPoint } from '../../src/lib/fault-points.ts';
import { cloneDatabase, sendJson, throughPooler, type Answer } from '../harness/index.ts';
import { awaitValue } from './await-value.ts';
import { readReal, registerRealPerson, signInAgain, type RealPerson } from './people.ts';
import { makeScratchDir, startRealService } from './real-service.ts';

export type Purchase = {
  id: string;
  status: string;
  kind: string;
  posted_credits: number;
  price_cents: number;
  checkout_url: string | null;
  provider_payment_id: string | null;
};

type Stage = Awaited<ReturnType<typeof openStage>>;

const OBOL_SECRET = 'test secret, thirty-two characters long';
const deathMs = 30_000;

/**
 * A service that is one process and dies where a test says, its database, and a stand-in for the providers
 * that outlives it. Each kill costs one start.
 */
export async function openPaymentStage() {
  const stage = await openStage();
  const jobs = openJobs(stage);
  return { ...stage, ...jobs, ...openShop(stage, jobs.deliver), ...openBooks(stage) };
}

async function openStage() {
  const database = await cloneDatabase();
  const { appUrl } = await prepareDatabase(loadConfig({ OBOL_SECRET }), database.ownerUrl);
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  afterAll(() => owner.end());
  await owner.query(`set obol.role = 'service'`);
  const clock = { now: () => new Date() };
  const standIn = await startStandIn({ port: 0, clock, deliversBySelf: false });
  afterAll(() => standIn.stop());
  const dir = await makeScratchDir();
  const faultFile = join(dir, 'fault-point');
  const env = {
    DATA_DIR: dir,
    OBOL_SECRET,
    DATABASE_OWNER_URL: database.ownerUrl,
    DATABASE_URL: throughPooler(appUrl),
    JWT_ACCESS_TOKEN_EXPIRY: '7d',
    CREDITS_SIGNUP_BONUS: '0',
    CREDITS_DAILY_FREE: '0',
    STRIPE_FRAUD_WARNINGS: 'refund',
    FAULT_POINT_FILE: faultFile,
    ...standIn.settings,
  };
  // Tokens are for one address.
  const port = await freePort();
  const start = () => startRealService({ port, env });
  const running = { service: await start() };
  standIn.deliverTo(running.service.url);

  const send = (method: string, path: string, person: RealPerson, body?: unknown): Promise<Answer> =>
    sendJson(`${running.service.url}/api/v1/${path}`, method, {
      token: person.token,
      ...(body === undefined ? {} : { body }),
    });

  /** Has the service die when it gets to a point, which `act` leads it to, and starts it again. */
  async function dieAt(point: FaultPoint, act: () => Promise<unknown>): Promise<void> {
    const victim = running.service;
    await writeFile(faultFile, point);
    try {
      // What a client sees of a service that dies in the middle of its request: nothing.
      await act().catch(() => undefined);
      const isAlive = pause(deathMs, 'alive', { ref: false });
      expect(await Promise.race([victim.exited, isAlive]), `${point} ${victim.output()}`).toBeNull();
    } finally {
      await rm(faultFile);
    }
    running.service = await start();
  }

  return { database, env, owner, standIn, running, send, dieAt };
}

/** What time does. */
function openJobs({ owner, standIn }: Stage) {
  /** Whatever was not taken is sent again at once. */
  async function deliver(): Promise<void> {
    standIn.act('retry-now');
    await standIn.deliver();
  }

  async function startJob(name: JobName): Promise<void> {
    await owner.query(`select obol.enqueue_job($1, '{}'::jsonb, interval '0')`, [name]);
  }

  /** Time passes: the jobs ask providers about whatever is not decided. */
  async function recover(): Promise<void> {
    await owner.query(`update credits.purchases set next_check_at = 'epoch' where next_check_at is not null`);
    await owner.query(
      `update payments.refund_requests set next_try_at = 'epoch' where next_try_at is not null`,
    );
    await startJob('check-purchases');
    await startJob('send-refunds');
  }

  return { deliver, startJob, recover };
}

/** People, and what they buy. */
function openShop({ owner, standIn, running, send }: Stage, deliver: () => Promise<void>) {
  const buy = (person: RealPerson, provider: string, more: Record<string, unknown> = {}) =>
    send('POST', 'credits/purchase', person, { packageId: 'standard', provider, ...more });

  async function purchasesOf(person: RealPerson): Promise<Purchase[]> {
    const { rows } = await owner.query('select * from credits.purchases where user_id = $1 order by id', [
      person.userId,
    ]);
    return rows.map((row) => ({ ...row, posted_credits: Number(row.posted_credits) }));
  }

  /** The latest purchase of a person, once it is as it should be. */
  const untilPurchase = (person: RealPerson, isSo: (purchase: Purchase) => boolean): Promise<Purchase> =>
    awaitValue(async () => {
      const latest = (await purchasesOf(person)).at(-1);
      return latest && isSo(latest) ? latest : undefined;
    });

  return {
    buy,
    purchasesOf,
    untilPurchase,
    newPerson: () => registerRealPerson(running.service.url),
    newAdministrator: async (): Promise<RealPerson> => {
      const person = await registerRealPerson(running.service.url);
      await owner.query(`update auth.users set role = 'admin' where id = $1`, [person.userId]);
      return { ...person, token: await signInAgain(running.service.url, person.email) };
    },
    /** A pack of 1,000 credits that is paid and has arrived. */
    buyPaid: async (
      person: RealPerson,
      provider: string,
      more: Record<string, unknown> = {},
    ): Promise<Purchase> => {
      const { body } = await buy(person, provider, { idempotencyKey: randomUUID(), ...more });
      await standIn.choose(body.checkoutUrl, 'pay');
      await deliver();
      return untilPurchase(person, ({ posted_credits: posted }) => posted === 1000);
    },
    untilPosted: (person: RealPerson, credits: number) =>
      untilPurchase(person, ({ posted_credits: posted }) => posted === credits),
  };
}

const sumOf = (payments: { amount: { value: string } }[]): number =>
  payments.reduce((sum, { amount }) => sum + Number(amount.value.replace('.', '')), 0);

/** What the ledger says, and what the providers have taken and not given back. */
function openBooks({ owner, standIn, running }: Stage) {
  function keptAtStripe({ email }: RealPerson): number {
    const { customers, charges } = standIn.world.state.stripe;
    const own = new Set(
      Object.values(customers).flatMap((customer) => (customer.email === email ? [customer.id] : [])),
    );
    return Object.values(charges)
      .filter(({ status, customer }) => status === 'succeeded' && own.has(idOf(customer) ?? ''))
      .reduce((sum, { amount, amount_refunded: back }) => sum + amount - back, 0);
  }

  function keptAtPaypal(purchaseIds: string[]): number {
    const { captures, refunds } = standIn.world.state.paypal;
    const paid = Object.values(captures).filter(({ custom_id: id }) => purchaseIds.includes(id ?? ''));
    const back = Object.values(refunds).filter(
      ({ status, links }) =>
        status === 'COMPLETED' && paid.some(({ id }) => links.some(({ href }) => href.endsWith(id))),
    );
    return sumOf(paid) - sumOf(back);
  }

  return {
    /** So many credits were granted, and the providers keep as many cents; nothing is owed. */
    expectAgreed: async (person: RealPerson, credits: number): Promise<void> => {
      const { rows } = await owner.query(
        `select p.id, p.posted_credits::int as posted,
                case when p.status <> 'failed' then p.problem end as problem,
                (select coalesce(sum(o.amount), 0)::int from payments.postings o
                  where o.purchase_id = p.id) as sum
           from credits.purchases p where p.user_id = $1`,
        [person.userId],
      );
      const posted = rows.reduce((sum: number, row) => sum + row.posted, 0);
      const kept = keptAtStripe(person) + keptAtPaypal(rows.map(({ id }) => id));
      expect({ posted, kept }).toEqual({ posted: credits, kept: credits });
      for (const row of rows) expect(row).toMatchObject({ posted: row.sum, problem: null });
      expect(await readReal(running.service.url, person, 'balance')).toMatchObject({ debt: 0 });
    },
  };
}
