import { beforeAll, describe, expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { mandateCalls } from '../../../test/harness/mandates.ts';
import { post, spend } from '../../../test/harness/movements.ts';
import { createRefundingProvider, openRefundDesk } from '../../../test/harness/refunds.ts';
import { addPerson, addTeam, type TestTeam } from '../../../test/harness/teams.ts';
import { findTraces } from '../../../test/harness/traces.ts';
import { addLot, type WalletHolder } from '../../../test/harness/wallets.ts';
import { addEndpoint, loopbackEnv, type TestEndpoint } from '../../../test/harness/webhooks.ts';
import { verifyTrail } from '../audit/index.ts';
import { verifyLedger } from '../credits/index.ts';

// Texts that others keep of a person: each place has a word of its own, so that it is seen which one kept it.

const provider = createRefundingProvider();
const service = await startTestService({ env: loopbackEnv, paymentProviders: [provider] });
const desk = await openRefundDesk(service, provider);
const { owner, admin } = desk;

const words = {
  'a remembered answer about a hold': 'Answerella',
  'a remembered answer about a hold in a team': 'Keepella',
  'a reason why credits were given back': 'Refundella',
  'a reason why credits of a member were given back': 'Memberella',
  'a reason why credits were taken back': 'Clawella',
  'a reason why a purchase was refunded': 'Purchasella',
  'a reason why a refund was denied': 'Denyella',
  'a reason why a refund was approved': 'Approvella',
  'an event of a spend in a team': 'Spendella',
  'an event of a hold that expired in a team': 'Expirella',
  'an event of such a hold that does not name the mandate': 'Oldella',
  'the transfer as the team has it': 'Transferella',
  'an event of a hold that is due': 'Duella',
} as const;
type Place = keyof typeof words;

const reason = (place: Place) => `Since ${words[place]} asked`;

/** What somebody writes there. */
const write = (place: Place) => ({
  description: `For ${words[place]}`,
  metadata: { prompt: `Dear ${words[place]}` },
});

let person: WalletHolder;
let boss: WalletHolder;
let team: TestTeam;
let endpoint: TestEndpoint;
let appCalls: ReturnType<typeof mandateCalls>;
let holdId: string;
const captureKey = 'capture-1';

const capture = () =>
  appCalls.asApp(`/holds/${holdId}/capture`, {
    amount: 2,
    idempotencyKey: captureKey,
    ...write('a remembered answer about a hold'),
  });

async function leaveAnswers(): Promise<void> {
  await appCalls.given();
  const body = appCalls.spendBody({
    idempotencyKey: 'hold-1',
    ...write('a remembered answer about a hold'),
  });
  const placed = await appCalls.asApp('/holds', body);
  expect(placed.status).toBe(201);
  holdId = placed.body.id;
  expect((await capture()).status).toBe(200);
  const inTeam = write('a remembered answer about a hold in a team');
  const held = { amount: 2, appId: 'chat', walletId: team.id, idempotencyKey: 'hold-2', ...inTeam };
  expect((await post(service, person, 'holds', held)).status).toBe(201);
}

async function leaveReasons(): Promise<void> {
  const own = await spend(service, person, 4, { metadata: { model: 'small', user: 'Refundella' } });
  const ofMember = await spend(service, person, 4, { walletId: team.id, metadata: { model: 'large' } });
  const grant = { userId: person.userId, amount: 9, kind: 'paid', source: 'purchase', description: 'Pack' };
  const granted = await post(service, admin, 'grants', grant);
  for (const [path, transactionId, place] of [
    ['refunds', own.id, 'a reason why credits were given back'],
    ['refunds', ofMember.id, 'a reason why credits of a member were given back'],
    ['clawbacks', granted.body.transaction.id, 'a reason why credits were taken back'],
  ] as const) {
    const answer = await post(service, admin, path, { transactionId, reason: reason(place) });
    expect(answer.status).toBe(200);
  }
  const made = { reason: reason('a reason why a purchase was refunded') };
  expect((await desk.refundNow((await desk.buy()).id, made)).status).toBe(201);
  for (const [decision, place] of [
    ['deny', 'a reason why a refund was denied'],
    ['approve', 'a reason why a refund was approved'],
  ] as const) {
    const asked = await desk.ask((await desk.buy()).id);
    const path = `refunds/${asked.body.id}/${decision}`;
    expect((await desk.send(admin, 'POST', path, { reason: reason(place) })).status).toBe(200);
  }
}

async function leaveEvents(): Promise<void> {
  const ofApp = { amount: 2, appId: endpoint.app.clientId };
  const inTeam = { ...ofApp, walletId: team.id };
  const spent = { ...inTeam, ...write('an event of a spend in a team') };
  expect((await post(service, person, 'use', spent)).status).toBe(200);
  for (const [place, body] of [
    ['an event of a hold that expired in a team', { ...inTeam, expiresInSeconds: 60 }],
    ['an event of such a hold that does not name the mandate', { ...inTeam, expiresInSeconds: 60 }],
    ['an event of a hold that is due', { ...ofApp, expiresInSeconds: 120 }],
  ] as const) {
    expect((await post(service, person, 'holds', { ...body, ...write(place) })).status).toBe(201);
  }
  service.clock.advance({ seconds: 60 });
  await team.read(boss);
  await owner.query(`update webhooks.events set data = data - 'mandateId' where data->>'description' = $1`, [
    write('an event of such a hold that does not name the mandate').description,
  ]);
  service.clock.advance({ seconds: 60 });
}

beforeAll(async () => {
  person = desk.holder;
  boss = await addPerson(service, owner);
  endpoint = await addEndpoint(service, { eventTypes: ['credits.spent', 'hold.expired', 'user.deleted'] });
  appCalls = mandateCalls(service, endpoint.app, () => person);
  const confirm = 'update auth.users set email_verified_at = created_at where id = $1';
  await owner.query(confirm, [person.userId]);
  team = await addTeam(service, boss);
  await team.join(person, { limit: { allowance: 50, period: 'month' } });
  await addLot(service, person, { source: 'purchase', kind: 'paid', amount: 100 });
  const { description } = write('the transfer as the team has it');
  expect((await team.transfer(person, 60, { description })).status).toBe(200);
  await leaveAnswers();
  await leaveReasons();
  const { db, jobs } = service.ctx;
  await db.asService((tx) => jobs.enqueue(tx, 'seal-audit-events', {}));
  await jobs.runDue();
  await leaveEvents();
});

test('what a team hears of a hold names the mandate of the member, by which it is forgotten', async () => {
  const { rows } = await owner.query(
    `select e.data->>'userId' as "userId", m.member_id as "memberId"
       from webhooks.events e join credits.mandates m on m.id = (e.data->>'mandateId')::uuid
      where e.type = 'hold.expired'`,
  );
  expect(rows).toEqual([{ userId: null, memberId: person.userId }]);
});

describe('once the person is erased', () => {
  beforeAll(async () => {
    for (const word of Object.values(words)) expect(await findTraces(owner, word)).not.toEqual([]);
    const answer = await service.send('DELETE', '/api/v1/users/me?erase=true', {
      token: person.token,
      body: {},
    });
    expect(answer.status).toBe(200);
  });

  test.each(Object.entries(words))('%s is forgotten', async (_, word) => {
    expect(await findTraces(owner, word)).toEqual([]);
  });

  test('the books are sound, with both sides of the transfer and the models that are counted', async () => {
    expect(await verifyLedger(service.ctx.db, {})).toMatchObject({ isSound: true, findings: [] });
    const { rows } = await owner.query(
      `select metadata from credits.transactions where type = 'usage' and metadata is not null order by 1`,
    );
    expect(rows).toEqual([{ metadata: { model: 'large' } }, { metadata: { model: 'small' } }]);
  });

  test('the audit trail is sound', async () => {
    const report = await verifyTrail(service.ctx.db);
    expect(report).toMatchObject({ isSound: true, findings: [] });
    expect(report.seals).toBeGreaterThan(5);
  });

  test('a request that comes again has its first answer, without the words', async () => {
    expect(await capture()).toMatchObject({
      status: 200,
      body: { id: holdId, captured: 2, description: 'Erased', metadata: null },
    });
  });

  test('the application hears that the person is gone', async () => {
    const told = await owner.query(`select data from webhooks.events where type = 'user.deleted'`);
    expect(told.rows).toEqual([{ data: { userId: person.userId } }]);
  });
});
