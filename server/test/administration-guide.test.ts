import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTestService } from './harness/index.ts';
import { addAdministrator } from './harness/movements.ts';
import { addWalletHolder, connectAsOwner } from './harness/wallets.ts';

// The commands of the guide on administration, run as they stand.

const guide = await readFile(join(import.meta.dirname, '../../docs/guides/administration.md'), 'utf8');
const commands = [...guide.matchAll(/```bash\n([\s\S]*?)\n```/g)].flatMap((match) => match[1]!.split('\n'));

test('people are found, helped and locked out the way the guide says, and the trail tells of it', async () => {
  const service = await startTestService();
  const [admin, ada] = [await addAdministrator(service), await addWalletHolder(service)];
  const owner = await connectAsOwner(service);
  await owner.query(`update auth.users set name = 'Ada', email = 'ada@example.com' where id = $1`, [
    ada.userId,
  ]);
  const values: Record<string, string> = { ADMIN_TOKEN: admin.token, USER_ID: ada.userId };
  const left = [...commands];
  /** Runs the next command of the page, which must be this one. */
  const run = async (part: string): Promise<any> => {
    const command = left.shift() ?? '';
    expect(command).toContain(part);
    const [, method = 'GET'] = / -X (\w+)/.exec(command) ?? [];
    const known = command.replaceAll(/\$([A-Z_]+)/g, (_, name: string) => values[name] ?? '');
    const [, address = ''] = /(http:[^\s"]+)/.exec(known) ?? [];
    const [, body] = / -d '([^']+)'/.exec(known) ?? [];
    const [, token = ''] = /Bearer ([\w.-]+)/.exec(known) ?? [];
    const response = await fetch(address.replace('http://localhost:3001', service.url), {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body } : {}),
    });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return JSON.parse(text.split('\n')[0] ?? '');
  };

  expect((await run('/role')).role).toBe('admin');
  expect((await run('/role')).role).toBe('user');
  expect(await run('search=ada')).toMatchObject([{ id: ada.userId, credits: 150 }]);
  expect((await run('/users/$USER_ID ')).email).toBe('ada@example.com');
  expect((await run('/users/export')).id).toBe(ada.userId);
  expect((await run('/credits')).newBalance.available).toBe(200);
  expect((await run('PUT http://localhost:3001/api/v1/users/$USER_ID ')).name).toBe('Ada');
  expect((await run('/sessions')).sessions).toHaveLength(1);
  const trail = (await run('/security-events')).events.map(({ type }: { type: string }) => type);
  expect(trail).toEqual(['account.role_changed', 'account.role_changed']);
  expect((await run('/grants')).grants).toEqual([]);
  expect((await run('DELETE "http://localhost:3001/api/v1/users/$USER_ID/sessions')).revoked).toBe(1);
  expect((await run('/reset-factors')).success).toBe(true);
  expect(await run('/subscriptions')).toEqual([]);
  values.IMPERSONATION_TOKEN = (await run('/impersonate')).accessToken;
  expect((await run('/auth/session')).impersonation.administratorId).toBe(admin.userId);
  await run('/auth/logout');
  expect((await run('/ban')).ban.until).toBe('9999-01-01T00:00:00.000Z');
  expect(await run('/reactivate')).toMatchObject({ isActive: true, ban: null });
  await run('DELETE "http://localhost:3001/api/v1/users/$USER_ID?');
  const { events } = await run('/audit/events?');
  expect(events).toHaveLength(10);
  for (const event of events)
    expect(event).toMatchObject({ actor: { id: admin.userId }, ipAddress: '127.0.0.1' });
  expect((await run('/audit/events/export')).reason).toBe('Sold access to others');
  expect(left).toEqual([]);
});
