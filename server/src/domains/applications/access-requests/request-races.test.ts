import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { requestCalls } from '../../../../test/harness/access-requests.ts';
import { addMember } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const { ask, approve, deny, withdraw, newApplication } = requestCalls(service);

const rounds = 8;
const sorted = (answers: { status: number }[]) =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b);

test('of several requests at once one is made, and the others name it', async () => {
  const { app } = await newApplication();
  for (let round = 0; round < rounds; round++) {
    const ben = await addWalletHolder(service);
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask(ben, { applicationId: app.id })));
    expect(sorted(answers)).toEqual([201, 409, 409, 409]);
    const id = answers.find(({ status }) => status === 201)?.body.accessRequest.id;
    const others = answers.filter(({ status }) => status === 409);
    for (const { body } of others) {
      expect(body).toMatchObject({ code: 'access.request_open', accessRequestId: id });
    }
  }
});

test('of decisions at once one counts: the role, the mail and the trail are those of the answer', async () => {
  const { ada, app } = await newApplication({ roles: ['editor', 'viewer'] });
  const eve = await addMember(service, app.id, 'admin');
  for (let round = 0; round < rounds; round++) {
    const ben = await addWalletHolder(service);
    const { id } = (await ask(ben, { applicationId: app.id })).body.accessRequest;
    const answers = await Promise.all([
      approve(ada, id, { role: 'editor' }),
      approve(eve, id, { role: 'viewer' }),
      deny(eve, id),
      withdraw(ben, id),
    ]);
    expect(sorted(answers)).toEqual([200, 409, 409, 409]);
    const won = answers.find(({ status }) => status === 200)?.body.accessRequest;
    for (const { status, body } of answers) {
      if (status === 409) expect(body).toMatchObject({ requestStatus: won.status });
    }
    const { rows: members } = await owner.query(
      'select role from apps.memberships where application_id = $1 and user_id = $2',
      [app.id, ben.userId],
    );
    expect(members).toEqual(won.status === 'approved' ? [{ role: won.role }] : []);
    const { rows: events } = await owner.query(
      `select action from audit.events where details->>'requestId' = $1 and action <> 'access.requested'`,
      [id],
    );
    expect(events).toEqual([{ action: `access.${won.status}` }]);
    expect(await service.mails(`${ben.userId}@example.com`)).toHaveLength(won.status === 'withdrawn' ? 0 : 1);
  }
});

test('requests at once are announced in one mail or wait for the next, and none is forgotten', async () => {
  const { ada, app } = await newApplication();
  const people = await Promise.all([1, 2, 3, 4, 5].map(() => addWalletHolder(service)));
  await Promise.all([
    ...people.map((person) => ask(person, { applicationId: app.id })),
    service.ctx.jobs.runDue(),
  ]);
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  service.clock.advance({ hours: 1 });
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  const mails = await service.mails(`${ada.userId}@example.com`);
  const told = mails.map(({ text }) => text).join('\n');
  expect(mails.length).toBeLessThanOrEqual(2);
  for (const { userId } of people) expect(told).toContain(`${userId}@example.com`);
});

const app = new pg.Client({ connectionString: service.appUrl });
await app.connect();
afterAll(() => app.end());

/** What somebody sees of all requests as the database itself shows them, whatever a statement asks for. */
async function seenBy({ userId }: Pick<WalletHolder, 'userId'>, role = 'user'): Promise<string[]> {
  await app.query('begin');
  await app.query(`select set_config('obol.role', $1, true), set_config('obol.user_id', $2, true)`, [
    role,
    userId,
  ]);
  const { rows } = await app.query<{ id: string }>('select id from apps.access_requests');
  await app.query('commit');
  return rows.map(({ id }) => id);
}

test('the database shows a request to whoever made it and to administrators of the application only', async () => {
  const { ada, app: notes } = await newApplication();
  const { ada: other } = await newApplication();
  const editor = await addMember(service, notes.id, 'editor');
  const [ben, cid] = [await addWalletHolder(service), await addWalletHolder(service)];
  const { id } = (await ask(ben, { applicationId: notes.id })).body.accessRequest;
  const { id: second } = (await ask(cid, { applicationId: notes.id })).body.accessRequest;
  expect(new Set(await seenBy(ada))).toEqual(new Set([id, second]));
  expect(await seenBy(ben)).toEqual([id]);
  expect(await seenBy(cid)).toEqual([second]);
  for (const person of [other, editor, { userId: randomUUID() }]) expect(await seenBy(person)).toEqual([]);
  expect(await seenBy(other, 'admin')).toEqual([]);
  expect(await seenBy(ada, 'anonymous')).toEqual([]);
});
