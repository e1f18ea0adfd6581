import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { openCommandLine } from './harness/command.ts';
import { startTestService } from './harness/index.ts';
import { registerPerson, signIn } from './harness/people.ts';

const service = await startTestService();
const { run: obol, directory } = await openCommandLine(service);

test('every command explains itself', async () => {
  const top = await obol(['--help']);
  for (const name of ['migrate', 'keys', 'admin', 'ledger', 'doctor', 'db'])
    expect(top.stdout).toContain(name);
  for (const command of [
    ['migrate'],
    ['keys', 'rotate'],
    ['admin', 'promote'],
    ['ledger', 'verify'],
    ['import', 'users'],
    ['export'],
    ['doctor'],
  ]) {
    const help = await obol([...command, '--help']);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('--json') });
  }
});

test('an unknown command fails and points at the help', async () => {
  const { code, stderr } = await obol(['ledgre']);
  expect(code).toBe(1);
  expect(stderr).toContain('ledger');
});

test('migrate finds the schema current', async () => {
  expect(await obol(['migrate'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('nothing to do'),
  });
  expect(JSON.parse((await obol(['migrate', '--json'])).stdout)).toEqual({ applied: [] });
});

test('db generate writes nothing while the migrations say what the tables do', async () => {
  const migrationsDir = join(import.meta.dirname, '../src/db/migrations');
  const filesBefore = await readdir(migrationsDir, { recursive: true });
  const { code, stdout } = await obol(['db', 'generate', '--name', 'nothing']);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('No schema changes') });
  expect(await readdir(migrationsDir, { recursive: true })).toEqual(filesBefore);
});

test('admin promote makes the first administrator and leaves a trace', async () => {
  const person = await registerPerson(service);
  const promoted = await obol(['admin', 'promote', person.email.toUpperCase(), '--json']);
  expect(JSON.parse(promoted.stdout)).toMatchObject({ email: person.email });
  const me = await service.send('GET', '/api/users/me', {
    token: (await signIn(service, person)).accessToken,
  });
  expect(me.body.role).toBe('admin');
  const owner = new pg.Client({ connectionString: service.ownerUrl });
  await owner.connect();
  const { rows } = await owner.query(
    `select actor_type, target_id from audit.events where action = 'user.promoted'`,
  );
  await owner.end();
  expect(rows).toEqual([{ actor_type: 'operator', target_id: me.body.id }]);
});

test('admin promote refuses an address that nobody has', async () => {
  const { code, stderr } = await obol(['admin', 'promote', 'nobody@example.com']);
  expect(code).toBe(1);
  expect(stderr).toContain('Nobody has registered with this address');
});

test('keys rotate publishes the next key, and a running service takes it up', async () => {
  const { kid } = JSON.parse((await obol(['keys', 'rotate', '--json'])).stdout);
  await service.ctx.keys.reload();
  const { body } = await service.send('GET', '/.well-known/jwks.json');
  expect(body.keys.map((key: { kid: string }) => key.kid)).toContain(kid);
});

test('doctor finds all well, and says what is not', async () => {
  const healthy = await obol(['doctor', '--json']);
  const { findings } = JSON.parse(healthy.stdout);
  const failed = findings.filter(({ status }: { status: string }) => status === 'fail');
  // The suite's PostgreSQL does without fsync; a real one that does so is to be told.
  expect(failed.map(({ check }: { check: string }) => check).toSorted()).toEqual([
    'fsync',
    'full_page_writes',
  ]);
  const lost = await obol(['doctor'], { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' });
  expect(lost.code).toBe(1);
  expect(lost.stdout).toMatch(/FAIL {2}database: .*\n.*→/);
});

test('doctor names each setting that is missing in production', async () => {
  const { code, stdout } = await obol(['doctor'], {
    NODE_ENV: 'production',
    DATABASE_URL: '',
    OBOL_SECRET: '',
  });
  expect(code).toBe(1);
  expect(stdout).toContain('DATABASE_URL is missing');
  expect(stdout).toContain('OBOL_SECRET is missing');
});

test('ledger verify passes sound books and names the row that is off', async () => {
  const person = await registerPerson(service);
  expect(await obol(['ledger', 'verify'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('is sound'),
  });
  const owner = new pg.Client({ connectionString: service.ownerUrl });
  await owner.connect();
  await owner.query('update credits.balances set free = free + 1 where owner_id = $1', [person.id]);
  await owner.end();
  const altered = await obol(['ledger', 'verify', '--json', '--wallet', person.id]);
  expect(altered.code).toBe(1);
  expect(JSON.parse(altered.stdout)).toMatchObject({ isSound: false, findings: [{ walletId: person.id }] });
  expect((await obol(['ledger', 'verify', '--wallet', 'not-a-wallet'])).code).toBe(1);
  expect((await obol(['ledger', 'verify', '--since', 'yesterday'])).code).toBe(1);
  const since = ['--since', new Date(Date.now() + 60_000).toISOString()];
  const nothingNew = await obol(['ledger', 'verify', '--json', ...since]);
  expect(JSON.parse(nothingNew.stdout)).toMatchObject({ isSound: true, wallets: 0, transactions: 0 });
  const behind = await obol(['ledger', 'verify', '--json', '--since', '0', '--after-wallet', person.id]);
  expect(JSON.parse(behind.stdout).findings).toEqual([]);
});

test('ledger balance sums to zero', async () => {
  const accounts: { amount: number }[] = JSON.parse((await obol(['ledger', 'balance', '--json'])).stdout);
  expect(accounts.length).toBeGreaterThan(1);
  expect(accounts.reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
});

test('a report that cannot be written is said in words: before anybody is taken in, or at the end', async () => {
  const file = join(directory, 'people.jsonl');
  await writeFile(file, '{"email":"imported@example.com"}\n{"email":"nonsense"}\n');
  const importWith = (report: string) => obol(['import', 'users', file, '--report', report]);
  const none = await importWith(join(directory, 'no/such/place.jsonl'));
  expect(none).toMatchObject({ code: 1, stdout: '' });
  expect(none.stderr).toMatch(/^obol: The report cannot be written: .*place\.jsonl'\.\n$/);
  const full = await importWith('/dev/full');
  expect(full).toMatchObject({ code: 1, stdout: '' });
  expect(full.stderr).toMatch(/^obol: The report could not be written: ENOSPC.*\n$/);
  const { stdout } = await importWith(join(directory, 'report.jsonl'));
  expect(stdout).toContain('This file was imported before');
  expect(stdout).toContain('1 created, 0 updated, 1 skipped');
});
