import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { importedHash as hash, takeIn, type Taken } from '../../../../test/harness/imports.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { logIn } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import type { ImportOptions } from '../index.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const newEmail = () => `${randomUUID()}@example.com`;
const take = (content: string | Buffer, options: Partial<ImportOptions> = {}): Promise<Taken> =>
  takeIn(service, content, options);

async function profileOf(email: string, password = 'imported pass') {
  const { status, body } = await logIn(service, { email, password, id: '' });
  expect(status).toBe(200);
  return body.user;
}

async function rowsOf(email: string) {
  const { rows } = await owner.query('select * from auth.users where email = $1', [email]);
  return rows;
}

test('CSV is read by its column names; quotes, line breaks and formulas are text', async () => {
  const [ada, ben, cleo] = [newEmail(), newEmail(), newEmail()];
  const file = [
    'Email,name,password_hash,email_verified,credits,accounts',
    `${ada},"=cmd|' /C calc'!A0",${hash},t,12,google:${ada};github:${ada}`,
    `"${ben}","Ben ""the"" first",,false,,`,
    '',
    `${cleo},Cleo`,
    `${cleo},"Line\nbreak",,,,`,
    '',
  ].join('\r\n');
  const taken = await take(file, { format: 'csv' });
  expect(await rowsOf(ada)).toMatchObject([
    { name: `=cmd|' /C calc'!A0`, email_verified_at: expect.any(Date) },
  ]);
  expect(await rowsOf(ben)).toMatchObject([{ name: 'Ben "the" first', email_verified_at: null }]);
  expect(await rowsOf(cleo)).toMatchObject([{ name: null }]);
  expect((await profileOf(ada)).credits).toBe(12);
  expect(taken.notes.map(({ line, reason }) => [line, reason])).toEqual([
    [5, 'other_number_of_cells'],
    [7, 'name_invalid'],
  ]);
});

test('CSV that is not UTF-8 loses that record only', async () => {
  const [first, last] = [newEmail(), newEmail()];
  const file = Buffer.concat([
    Buffer.from(`email,name\n${first},Ada\n`),
    Buffer.from('b@example.com,'),
    Buffer.from([0xe9, 0x0a]),
    Buffer.from(`${last},Ben\n`),
  ]);
  const taken = await take(file, { format: 'csv' });
  expect(taken).toMatchObject({ created: 2, skipped: 1 });
  expect(taken.notes).toMatchObject([{ line: 3, reason: 'not_utf8' }]);
});

test.each([
  ['a quote that is never closed', `,"never`],
  ['a quote that is closed too early', `,"Do"ra`],
  ['a quote within a cell', `,Do"ra`],
  ['a record of 300 kB', `,${'x'.repeat(300_000)}`],
])('CSV with %s is refused as a whole, before anybody is taken in', async (_, cell) => {
  const email = newEmail();
  const file = `email,name\n${email},Ada\nb@example.com${cell}\nc@example.com,Cleo\n`;
  await expect(take(file, { format: 'csv' })).rejects.toThrow('The record behind line 2 cannot be read');
  expect(await rowsOf(email)).toEqual([]);
});

test.each([
  ['an empty file', ''],
  ['a file without column names', 'just a text\nand another\n'],
])('%s is refused as a whole', async (_, file) => {
  await expect(take(file, { format: 'csv' })).rejects.toThrow('name');
});

test('a CSV file whose columns hold no address brings nobody', async () => {
  expect(await take('name,username\nAda,ada\n', { format: 'csv' })).toMatchObject({ created: 0, skipped: 1 });
});
