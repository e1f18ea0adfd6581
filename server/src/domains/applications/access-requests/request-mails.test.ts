import { expect, test } from 'vitest';
import { requestCalls } from '../../../../test/harness/access-requests.ts';
import { addMember } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const { ask, approve, deny, withdraw, newApplication } = requestCalls(service);

const addressOf = ({ userId }: WalletHolder) => `${userId}@example.com`;
const mailsTo = (person: WalletHolder) => service.mails(addressOf(person));

/** Whoever asks for access for the first time. */
async function askAnew(applicationId: string): Promise<{ ben: WalletHolder; id: string }> {
  const ben = await addWalletHolder(service);
  const { status, body } = await ask(ben, { applicationId, message: 'Please let me in' });
  expect(status).toBe(201);
  return { ben, id: body.accessRequest.id };
}

test('every administrator is told at once who asks, but not in whose words', async () => {
  const { ada, app } = await newApplication();
  const eve = await addMember(service, app.id, 'admin');
  const editor = await addMember(service, app.id, 'editor');
  const { ben } = await askAnew(app.id);
  for (const admin of [ada, eve]) {
    const [mail, ...others] = await mailsTo(admin);
    expect(others).toEqual([]);
    expect(mail?.subject).toBe('Somebody asks for access to Notes');
    expect(mail?.text).toContain(`${addressOf(ben)} (address not confirmed)`);
    expect(mail?.text).not.toContain('Please let me in');
  }
  expect(await mailsTo(editor)).toEqual([]);
  expect(await mailsTo(ben)).toEqual([]);
});

test('a crowd is announced together, and at most once an hour', async () => {
  const { ada, app } = await newApplication();
  await askAnew(app.id);
  expect(await mailsTo(ada)).toHaveLength(1);
  const people = [];
  for (let number = 0; number < 25; number++) people.push(await askAnew(app.id));
  service.clock.advance({ minutes: 59 });
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  expect(await mailsTo(ada)).toHaveLength(1);
  service.clock.advance({ minutes: 1 });
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  const [mail, ...others] = await mailsTo(ada);
  expect(others).toHaveLength(1);
  expect(mail?.subject).toBe('25 people ask for access to Notes');
  expect(mail?.text).toContain('and 5 more.');
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  expect(await mailsTo(ada)).toHaveLength(2);
});

test('somebody who asks, withdraws and asks again causes one mail an hour, too', async () => {
  const { ada, app } = await newApplication();
  const { ben, id } = await askAnew(app.id);
  expect(await mailsTo(ada)).toHaveLength(1);
  await withdraw(ben, id);
  for (let round = 0; round < 3; round++) {
    const { body } = await ask(ben, { applicationId: app.id });
    await service.ctx.jobs.runDue({ ignoreDelay: true });
    await withdraw(ben, body.accessRequest.id);
  }
  service.clock.advance({ hours: 2 });
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  expect(await mailsTo(ada)).toHaveLength(1);
});

test('what was withdrawn or decided before the mail went out is not announced', async () => {
  const { ada, app } = await newApplication();
  const [first, second] = [await askAnew(app.id), await askAnew(app.id)];
  await withdraw(first.ben, first.id);
  await deny(ada, second.id);
  expect(await mailsTo(ada)).toEqual([]);
});

test('whoever asked is told of the approval, with the role and where to go', async () => {
  const { ada, app } = await newApplication({ clientUri: 'https://notes.example.com/' });
  const { ben, id } = await askAnew(app.id);
  await approve(ada, id, { role: 'editor' });
  const [mail, ...others] = await mailsTo(ben);
  expect(others).toEqual([]);
  expect(mail?.subject).toBe('You have access to Notes');
  expect(mail?.text).toContain('Your role in Notes is: editor.');
  expect(mail?.links).toEqual(['https://notes.example.com/']);
});

test('whoever asked is told of the denial and its reason, which is text and no markup', async () => {
  const { ada, app } = await newApplication();
  const { ben, id } = await askAnew(app.id);
  await deny(ada, id, { reason: 'We are <b>full</b>' });
  const [mail] = await mailsTo(ben);
  expect(mail?.text).toContain('The reason: We are <b>full</b>');
  expect(mail?.html).toContain('We are &#60;b&#62;full&#60;/b&#62;');
});

test('a request that is refused sends nothing', async () => {
  const { ada, app } = await newApplication();
  const { ben } = await askAnew(app.id);
  await mailsTo(ada);
  expect((await ask(ben, { applicationId: app.id })).status).toBe(409);
  const { rows } = await owner.query(
    `select count(*)::int as count from pgboss.job where name = 'announce-access-requests' and state < 'active'`,
  );
  expect(rows).toEqual([{ count: 0 }]);
});
