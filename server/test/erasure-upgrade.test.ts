import { beforeAll, expect, test } from 'vitest';
import { readMigrations } from '../src/db/migrate.ts';
import { verifyLedger } from '../src/domains/credits/index.ts';
import { startTestService } from './harness/index.ts';
import { addAdministrator, post, spend } from './harness/movements.ts';
import { addPerson, addTeam, type TestTeam } from './harness/teams.ts';
import { addLot, connectAsOwner, type WalletHolder } from './harness/wallets.ts';

// What 0071_budgets_and_erasures does about people who were erased before 0061_erasure_texts kept models.

const service = await startTestService();
const owner = await connectAsOwner(service);
const migrations = await readMigrations();

let boss: WalletHolder;
let team: TestTeam;
let person: WalletHolder;
let altered: WalletHolder;
let later: WalletHolder;

const sqlOf = (name: string) => migrations.find((migration) => migration.name === `${name}.sql`)?.sql ?? '';
const erasing = (name: string) =>
  /create (?:or replace )?(function credits\.erase_texts\([^]*?\nend \$\$;)/.exec(sqlOf(name))?.[1] ?? '';
const upgrade = (name: string) => owner.query(/^do \$\$[^]*?^end \$\$;/m.exec(sqlOf(name))?.[0] ?? '');

const erase = async ({ token }: WalletHolder) => {
  const answer = await service.send('DELETE', '/api/v1/users/me?erase=true', { token, body: {} });
  expect(answer.status).toBe(200);
};
const findings = async () => (await verifyLedger(service.ctx.db, {})).findings;
/** Runs changes past all triggers, looks what verification says of them, and takes them back. */
async function findingsAfter(text: string, values: unknown[]): Promise<unknown[]> {
  await owner.query('begin');
  await owner.query(text, values);
  const wallets = [person.userId, team.id, later.userId, boss.userId];
  const { rows } = await owner.query('select row_id from credits.verify_usage($1)', [wallets]);
  await owner.query('rollback');
  return rows;
}
const noted = async () => {
  const { rows } = await owner.query(
    `select t.wallet_id, -t.amount as amount from credits.erased_texts x join credits.transactions t
         on t.id = x.transaction_id where x.is_model_lost order by t.sequence`,
  );
  const names = new Map([person, altered, later].map(({ userId }, index) => [userId, `person ${index}`]));
  return rows.map(({ wallet_id: id, amount }) => `${names.get(id) ?? 'team'} ${amount}`).toSorted();
};
const withModel = (model: string, more = {}) => ({ metadata: { model, prompt: 'Dear Ada' }, ...more });

async function spendInTeam(): Promise<void> {
  await team.join(person, { limit: { allowance: 50, period: 'month' } });
  await addLot(service, boss, { source: 'purchase', kind: 'paid', amount: 100 });
  await addLot(service, person, { source: 'purchase', kind: 'paid', amount: 100 });
  expect((await team.transfer(boss, 60)).status).toBe(200);
  expect((await team.transfer(person, 10)).status).toBe(200);
  await spend(service, person, 3, withModel('large', { walletId: team.id }));
  await spend(service, boss, 8, withModel('large', { walletId: team.id }));
  await spend(service, boss, 9, withModel('small', { walletId: team.id }));
}

beforeAll(async () => {
  const admin = await addAdministrator(service);
  boss = await addPerson(service, owner);
  person = await addPerson(service, owner);
  altered = await addPerson(service, owner);
  later = await addPerson(service, owner);
  team = await addTeam(service, boss);
  await spendInTeam();
  const first = await spend(service, person, 4, withModel('small'));
  await spend(service, person, 5, withModel('large'));
  await spend(service, person, 6);
  const back = await post(service, admin, 'refunds', { transactionId: first.id, amount: 1, reason: 'Late' });
  expect(back.status).toBe(200);
  await spend(service, person, 7, { appId: 'other' });
  await spend(service, altered, 2, withModel('small'));
  await spend(service, later, 2);

  await owner.query(`create or replace ${erasing('0035_erasure')}`);
  await erase(person);
  await erase(altered);
  service.clock.advance({ minutes: 1 });
  await owner.query(`create or replace ${erasing('0061_erasure_texts')}`);
  await upgrade('0061_erasure_texts');
  const applied = `update obol.migrations set applied_at = $1 where name = '0061_erasure_texts.sql'`;
  await owner.query(applied, [service.clock.now()]);
  service.clock.advance({ minutes: 1 });
  await erase(later);
});

test('spends whose models were lost are told from those that were altered, and what is known of them is still proven', async () => {
  const before = await findings();
  expect(new Set(before.map(({ walletId }) => walletId))).toEqual(
    new Set([person.userId, altered.userId, team.id]),
  );
  await owner.query('update credits.usage_stats set amount = amount + 1 where wallet_id = $1', [
    altered.userId,
  ]);
  await upgrade('0071_budgets_and_erasures');
  expect(await noted()).toEqual(['person 0 4', 'person 0 5', 'person 0 6', 'team 3']);
  expect(new Set((await findings()).map(({ walletId }) => walletId))).toEqual(new Set([altered.userId]));
  await owner.query('update credits.usage_stats set amount = amount - 1 where wallet_id = $1', [
    altered.userId,
  ]);
  await upgrade('0071_budgets_and_erasures');
  expect(await noted()).toContain('person 1 2');
  expect(await findings()).toEqual([]);
});

const line = 'update credits.usage_stats set';
test.each([
  [
    'an amount',
    () => [`${line} amount = amount + 1 where wallet_id = $1 and model = 'small'`, [person.userId]],
  ],
  ['a count', () => [`${line} count = count + 1 where wallet_id = $1 and model = 'small'`, [person.userId]]],
  [
    'another model for spends of which it is known',
    () => [
      `${line} count = count + case model when 'large' then -1 else 1 end,
         amount = amount + case model when 'large' then -8 else 8 end
        where wallet_id = $1 and model in ('small', 'large')`,
      [team.id],
    ],
  ],
  [
    'a model for a spend that never had one',
    () => [
      `with taken as (delete from credits.usage_stats where wallet_id = $1 and app_id = 'other' returning *)
       insert into credits.usage_stats (wallet_id, day, app_id, model, count, amount)
       select wallet_id, day, app_id, 'small', count, amount from taken`,
      [person.userId],
    ],
  ],
  [
    'a model in place of none, in another wallet',
    () => [`${line} model = 'x' where wallet_id = $1`, [later.userId]],
  ],
  ['a line that is gone', () => ['delete from credits.usage_stats where wallet_id = $1', [team.id]]],
] as [string, () => [string, unknown[]]][])('%s is found as before', async (_, change) => {
  expect(await findingsAfter('select 1', [])).toEqual([]);
  expect(await findingsAfter(...change())).not.toEqual([]);
});
