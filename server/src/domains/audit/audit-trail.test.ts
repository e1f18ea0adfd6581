import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../test/harness/index.ts';
import { addAdministrator } from '../../../test/harness/movements.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';
import { auditActions, verifyTrail } from './index.ts';

// Rule 27: the audit log is append-only, says who, why and from where, and proves itself.

async function openTrail() {
  const service = await startTestService();
  const owner = await connectAsOwner(service);
  const admin = await addAdministrator(service);
  const ada = await addWalletHolder(service);
  const give = (amount: number) =>
    service.send('POST', `/api/v1/users/${ada.userId}/credits`, {
      token: admin.token,
      body: { amount, description: `Gift ${amount}` },
    });
  return { service, owner, admin, ada, give, seal: () => seal(service) };
}

async function seal(service: TestService): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'seal-audit-events', {}));
  await service.ctx.jobs.runDue();
}

describe('the chain', async () => {
  const { service, owner, give, seal: sealNow } = await openTrail();
  const verify = () => verifyTrail(service.ctx.db);

  test('grows by what waits for it, each event once', async () => {
    expect(await verify()).toEqual({ isSound: true, seals: 0, waiting: 0, head: null, findings: [] });
    for (const amount of [1, 2, 3]) await give(amount);
    expect(await verify()).toMatchObject({ isSound: true, seals: 0, waiting: 3 });
    await sealNow();
    const report = await verify();
    expect(report).toMatchObject({ isSound: true, seals: 3, waiting: 0, head: { sequence: 3 } });
    await sealNow();
    expect(await verify()).toEqual(report);
    const later = { ...report.head! };
    await give(4);
    await sealNow();
    expect(await verifyTrail(service.ctx.db, later)).toMatchObject({ isSound: true, seals: 4 });
    const other = { sequence: 3, hash: '0'.repeat(64) };
    expect((await verifyTrail(service.ctx.db, other)).findings[0]?.problem).toContain('another hash');
    expect((await verifyTrail(service.ctx.db, { ...other, sequence: 9 })).isSound).toBe(false);
  });

  test('holds every event once, when many write and several seal at the same time', async () => {
    const before = (await verify()).seals;
    await Promise.all([
      ...Array.from({ length: 20 }, (_, index) => give(index + 1)),
      ...Array.from({ length: 6 }, () => service.ctx.db.call('select audit.seal_events(7, now())', [])),
    ]);
    await sealNow();
    expect(await verify()).toMatchObject({ isSound: true, seals: before + 20, waiting: 0 });
  });

  test.each([
    [`update audit.events set action = 'user.banned'`, 'the event was altered'],
    [`update audit.events set actor_id = 'nobody'`, 'the event was altered'],
    [`update audit.events set details = '{}'`, 'the event was altered'],
    [`update audit.events set created_at = created_at + interval '1 ms'`, 'the event was altered'],
    [`update audit.events set reason = 'Another'`, 'the address or the reason was altered'],
    [`update audit.events set ip_address = null`, 'the address or the reason was altered'],
    [`update audit.events set personal_salt = null`, 'the address or the reason was altered'],
    [`delete from audit.events`, 'its event is missing'],
    [`delete from audit.seals`, 'the seal before it is missing'],
    [`update audit.seals set hash = sha256('x')`, 'the event was altered'],
    [`update audit.seals set previous_hash = sha256('x')`, 'it does not continue the chain'],
  ])('%s of one row is found, even with the triggers off', async (statement, problem) => {
    await owner.query('begin');
    try {
      for (const table of ['events', 'seals'])
        await owner.query(`alter table audit.${table} disable trigger user`);
      const where = statement.includes('seals')
        ? 'where sequence = 2'
        : 'where id = (select event_id from audit.seals where sequence = 2)';
      expect((await owner.query(`${statement} ${where}`)).rowCount).toBe(1);
      const { rows } = await owner.query('select findings from audit.verify_seals(0, 1000)');
      expect(rows[0].findings.map((finding: any) => finding.problem)).toContain(problem);
    } finally {
      await owner.query('rollback');
    }
  });

  test('an event that came in past the trail is found', async () => {
    await owner.query('begin');
    await owner.query('alter table audit.events disable trigger user');
    await owner.query(`insert into audit.events (id, action, actor_type, created_at)
      values (gen_random_uuid(), 'user.banned', 'system', now())`);
    expect((await owner.query('select * from audit.find_strays()')).rowCount).toBe(1);
    await owner.query('rollback');
    expect((await owner.query('select * from audit.find_strays()')).rowCount).toBe(0);
  });

  test.each([
    `update audit.events set reason = 'Another'`,
    `update audit.events set action = 'x', ip_address = null, reason = null, personal_salt = null`,
    'delete from audit.events',
    'truncate audit.events',
    `update audit.seals set hash = ''`,
    'delete from audit.seals',
    'truncate audit.seals',
  ])('%s is refused to everybody', async (statement) => {
    await expect(owner.query(statement)).rejects.toThrow('append-only');
    await expect(service.ctx.db.runAsService(statement)).rejects.toThrow(/permission denied|append-only/);
  });
});

test('a person is forgotten, and the chain proves what is left', async () => {
  const { service, owner, admin, ada, give, seal: sealNow } = await openTrail();
  await give(5);
  await sealNow();
  await give(6);
  await service.ctx.db.call('select audit.forget_person($1)', [ada.userId]);
  await sealNow();
  const { rows } = await owner.query('select actor_id, reason, ip_address from audit.events');
  const left = { actor_id: admin.userId, reason: null, ip_address: null };
  expect(rows).toEqual([left, left]);
  expect(await verifyTrail(service.ctx.db)).toMatchObject({ isSound: true, seals: 2 });
  await service.ctx.db.call('select audit.forget_person($1)', [ada.userId]);
});

describe('administrators read it', async () => {
  const { service, owner, admin, ada, give, seal: sealNow } = await openTrail();
  const second = await addAdministrator(service);
  const read = (query = '') => service.send('GET', `/api/v1/audit/events?${query}`, { token: admin.token });
  const count = async (query: string) => (await read(query)).body.events.length;
  for (let amount = 1; amount <= 5; amount++) {
    await give(amount);
    service.clock.advance({ minutes: 1 });
  }
  await service.send('POST', `/api/v1/users/${ada.userId}/ban`, {
    token: second.token,
    body: { reason: 'Spam' },
  });
  await sealNow();

  test('newest first, page by page, with the links of the chain', async () => {
    const { body } = await read();
    expect(body.nextCursor).toBeNull();
    expect(body.events.map(({ sequence }: any) => sequence)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(body.events[0]).toMatchObject({
      type: 'user.banned',
      actor: { type: 'user', id: second.userId },
      subject: { type: 'user', id: ada.userId },
      reason: 'Spam',
      ipAddress: '127.0.0.1',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const paged = [];
    for (let path: string | undefined = '/api/v1/audit/events?limit=2'; path !== undefined;) {
      const page = await service.send('GET', path, { token: admin.token });
      paged.push(...page.body.events);
      path = /<([^>]+)>/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(paged).toEqual(body.events);
  });

  test('by actor, subject, type and time', async () => {
    expect(await count(`actor=${second.userId}`)).toBe(1);
    expect(await count(`actor=${admin.userId.toUpperCase()}`)).toBe(5);
    expect(await count(`subject=${ada.userId}`)).toBe(6);
    expect(await count(`subject=${ada.userId}&type=user.banned`)).toBe(1);
    expect(await count('type=user.promoted')).toBe(0);
    expect(await count('from=2026-03-01T12:01:00Z&to=2026-03-01T12:03:00Z')).toBe(2);
    expect(await count('to=2026-03-01')).toBe(0);
  });

  test.each([
    'actor=me',
    'type=nothing',
    'from=yesterday',
    'limit=0',
    'cursor=x',
    `subject=${'x'.repeat(101)}`,
    'limit=2&cursor=WyIyMDI2Il0',
  ])('%s is malformed', async (query) => {
    expect((await read(query)).body.code).toBe('request.invalid');
  });

  test('and export it, which stands in it', async () => {
    const send = (query: string) =>
      fetch(`${service.url}/api/v1/audit/events/export?${query}`, {
        headers: { authorization: `Bearer ${admin.token}` },
      });
    const lines = (await (await send(`subject=${ada.userId}`)).text()).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
      'user.banned',
      ...Array<string>(5).fill('credits.granted'),
    ]);
    const csv = await (await send('format=csv&type=user.banned')).text();
    expect(csv).toMatch(/^createdAt,type,actorType,actorId[^\n]*\r\n[^\n]*"Spam"[^\n]*\r\n$/);
    expect((await read('type=audit.exported')).body.events).toHaveLength(2);
    await owner.query(`update auth.users set role = 'user' where id = $1`, [admin.userId]);
    expect((await send('')).status).toBe(403);
  });
});

test('whatever SQL writes into the trail is in the list of events', async () => {
  const dir = join(import.meta.dirname, '../../db/migrations');
  const written = new Set<string>();
  for (const name of (await readdir(dir)).filter((file) => file.endsWith('.sql'))) {
    const text = await readFile(join(dir, name), 'utf8');
    for (const [, action = ''] of text.matchAll(/audit\.append\(\s*'([a-z_.]+)'/g)) written.add(action);
  }
  expect(written.size).toBeGreaterThan(3);
  expect([...written].filter((action) => !(auditActions as string[]).includes(action))).toEqual([]);
});
