import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import pg from 'pg';
import { loadConfig } from '../../server/src/config.ts';
import type { Ctx } from '../../server/src/ctx.ts';
import { prepareDatabase } from '../../server/src/db/connect.ts';
import { auditLedger, verifyLedger } from '../../server/src/domains/credits/index.ts';
import { firstPartyClientId, firstPartyScope } from '../../server/src/lib/first-party.ts';
import { epochSeconds } from '../../server/src/lib/exact.ts';
import { createService, type Service } from '../../server/src/service.ts';
import { serviceSettings } from '../lib/environment.ts';
import { paidDelivery } from '../lib/stripe-delivery.ts';

/** Somebody who may ask, with the header that says so. */
export type Asker = { authorization: string; userId: string };

type Application = Asker & { clientId: string };

/** The service in this process, and who asks it. */
export type PlanClient = {
  /** Wallets with a history of the usual length. */
  many: Asker[];
  usual: Asker;
  /** The wallet with the longest history. */
  hot: Asker;
  /** Administers the service. */
  administrator: Asker;
  /** Has a mandate to spend from the usual wallet. */
  application: Application;
  get: <T>(asker: Asker, url: string) => Promise<T>;
  post: <T>(asker: Asker, url: string, body: unknown) => Promise<T>;
  refresh: () => Promise<void>;
  /** Delivers at once that so many purchases are paid; each is paid once. */
  pay: (purchases: number) => Promise<unknown>;
  /** Takes pending purchases whose provider is to be asked. */
  takeDueChecks: () => Promise<unknown>;
  audit: () => Promise<unknown>;
  verify: (asker: Asker) => Promise<unknown>;
  stop: () => Promise<void>;
};

const password = 'a password for benchmarks';

/** Starts the service on a filled ledger and signs people in. */
export async function openPlanClient(ownerUrl: string): Promise<PlanClient> {
  const config = loadConfig({ DATABASE_URL: ownerUrl, ...serviceSettings });
  const { appUrl } = await prepareDatabase(config, ownerUrl);
  const service = await createService({ config, appUrl, log: pino({ level: 'error' }), runsJobs: false });
  const send = createSend(service);
  const [hot, ...many] = await signIn(service.ctx, ownerUrl);
  const [usual] = many;
  const administrator = many.at(-1);
  if (!hot || !usual || !administrator) throw new Error('the ledger has too few wallets');
  const client = {
    get: <T>(asker: Asker, url: string) => send<T>('GET', url, asker),
    post: <T>(asker: Asker, url: string, body: unknown) => send<T>('POST', url, asker, body),
  };
  return {
    ...client,
    hot,
    usual,
    administrator,
    many,
    application: await addApplication(client, usual),
    refresh: await createRefresh(send),
    pay: await createPay(service, ownerUrl),
    takeDueChecks: () =>
      service.ctx.db.call('select payments.take_due_checks($1, $2)', [100, service.ctx.clock.now()]),
    audit: () => auditLedger(service.ctx),
    verify: ({ userId }) => verifyLedger(service.ctx.db, { walletId: userId, since: 0 }),
    stop: () => service.stop(),
  };
}

type Send = <T>(method: 'GET' | 'POST', url: string, asker: Asker | undefined, body?: unknown) => Promise<T>;

function createSend({ app }: Service): Send {
  return async <T>(method: 'GET' | 'POST', url: string, asker: Asker | undefined, body?: unknown) => {
    const answer = await app.inject({
      method,
      url,
      headers: asker ? { authorization: asker.authorization } : {},
      ...(body === undefined ? {} : { payload: body as object }),
    });
    if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.body}`);
    return answer.json<T>();
  };
}

/** Sessions and tokens for a hundred wallets, the hot one first; the last one's owner is an administrator. */
async function signIn(ctx: Ctx, ownerUrl: string): Promise<Asker[]> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  const { rows } = await client.query<{ userId: string; sessionId: string }>(
    `with people as (
       select b.wallet_id, b.sequence from credits.balances b order by b.sequence desc, b.wallet_id limit 101
     ), made as (
       insert into auth.sessions (id, user_id, created_at, last_used_at, expires_at)
       select gen_random_uuid(), p.wallet_id, now(), now(), now() + interval '1 day' from people p
       returning id, user_id)
     select m.user_id as "userId", m.id as "sessionId"
       from made m join people p on p.wallet_id = m.user_id order by p.sequence desc, p.wallet_id`,
  );
  await client.query(`update auth.users set role = 'admin' where id = $1`, [rows.at(-1)?.userId]);
  await client.end();
  return Promise.all(
    rows.map(async ({ userId, sessionId }) => ({
      userId,
      authorization: `Bearer ${await signToken(ctx, userId, sessionId)}`,
    })),
  );
}

function signToken({ config, keys, clock }: Ctx, userId: string, sessionId: string): Promise<string> {
  const iat = epochSeconds(clock.now());
  return keys.sign({
    iss: config.jwtIssuer,
    aud: config.jwtAudience,
    sub: userId,
    sid: sessionId,
    jti: randomUUID(),
    iat,
    exp: iat + 86_400,
    email: 'somebody@example.com',
    role: 'user',
    client_id: firstPartyClientId,
    scope: firstPartyScope,
  });
}

async function addApplication({ post }: Pick<PlanClient, 'post'>, person: Asker): Promise<Application> {
  const { application } = await post<{ application: { clientId: string; clientSecret: string } }>(
    person,
    '/api/v1/applications',
    {
      name: `Plans ${randomUUID()}`,
      redirectUri: 'https://plans.example.com/callback',
      roles: ['user'],
    },
  );
  const { clientId, clientSecret } = application;
  await post(person, '/api/v1/credits/mandates', { appId: clientId, allowance: 1_000_000, period: 'month' });
  const pair = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  return { clientId, userId: person.userId, authorization: `Basic ${pair}` };
}

/** Each call pays the next of the purchases that wait to be paid. */
async function createPay({ app }: Service, ownerUrl: string): Promise<PlanClient['pay']> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  const { rows } = await client.query<{ id: string }>(
    `select p.id from credits.purchases p where p.status = 'pending' order by p.id`,
  );
  await client.end();
  return (purchases) =>
    Promise.all(
      rows.splice(0, purchases).map(async ({ id }) => {
        const { event, signature } = paidDelivery(id);
        const headers = { 'stripe-signature': signature };
        const url = '/api/v1/webhooks/stripe';
        const answer = await app.inject({ method: 'POST', url, headers, payload: event });
        if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`);
      }),
    );
}

type Session = { refreshToken: string };

/** Signs somebody in properly; each call then spends the last refresh token. */
async function createRefresh(send: Send): Promise<() => Promise<void>> {
  const email = `${randomUUID()}@example.com`;
  await send('POST', '/api/v1/auth/register', undefined, { email, password });
  let { refreshToken } = await send<Session>('POST', '/api/v1/auth/login', undefined, { email, password });
  return async () => {
    ({ refreshToken } = await send<Session>('POST', '/api/v1/auth/refresh', undefined, { refreshToken }));
  };
}
