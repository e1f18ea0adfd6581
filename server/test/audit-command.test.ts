import { expect, test } from 'vitest';
import { openCommandLine } from './harness/command.ts';
import { startTestService } from './harness/index.ts';
import { addAdministrator } from './harness/movements.ts';
import { addWalletHolder, connectAsOwner } from './harness/wallets.ts';

const service = await startTestService();
const { run: obol } = await openCommandLine(service);
const auditVerify = (...args: string[]) => obol(['audit', 'verify', ...args]);

test('audit verify proves the trail, holds it against a head, and names what is off', async () => {
  const admin = await addAdministrator(service);
  const ada = await addWalletHolder(service);
  const body = { reason: 'Spam' };
  await service.send('POST', `/api/v1/users/${ada.userId}/ban`, { token: admin.token, body });
  await service.ctx.db.call('select audit.seal_events(10, $1)', [service.clock.now()]);

  const sound = await auditVerify();
  expect(sound).toMatchObject({ code: 0, stdout: expect.stringContaining('is sound: 1 events sealed') });
  const head = /Head: (1:[0-9a-f]{64})/.exec(sound.stdout)?.[1] ?? '';
  const [same, other, unreadable] = await Promise.all([
    auditVerify('--head', head),
    auditVerify('--head', `1:${'0'.repeat(64)}`, '--json'),
    auditVerify('--head', 'x'),
  ]);
  expect(same.code).toBe(0);
  expect([other.code, JSON.parse(other.stdout).isSound]).toEqual([1, false]);
  expect(unreadable.stderr).toContain('a sequence and a hash');

  const owner = await connectAsOwner(service);
  await owner.query('alter table audit.events disable trigger user');
  await owner.query(`update audit.events set target_id = 'nobody'`);
  const broken = await auditVerify();
  expect(broken).toMatchObject({ code: 1, stdout: expect.stringContaining('the event was altered') });
}, 120_000);
