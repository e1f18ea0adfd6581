import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { verifyLedger } from '../../src/domains/credits/index.ts';
import { startTestService } from '../harness/index.ts';
import { logIn } from '../harness/people.ts';
import { connectAsOwner } from '../harness/wallets.ts';
import { sampleHashes, samplePassword } from './password-samples.ts';

// People in one command, killed half-way and resumed. A hundred thousand of them: npm run test:import.

const peopleMax = Number(process.env.IMPORT_PEOPLE ?? 3000);
const program = join(import.meta.dirname, '../../src/cli/main.ts');
const service = await startTestService();
const owner = await connectAsOwner(service);
const directory = await mkdtemp(join(tmpdir(), 'obol-import-'));
afterAll(() => rm(directory, { recursive: true, force: true }));
const file = join(directory, 'people.jsonl');
const kinds = Object.entries(sampleHashes);
const emailOf = (number: number) => `person-${number}@example.com`;

function startImport(...options: string[]): ChildProcessByStdio<null, Readable, null> {
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: service.ownerUrl,
    OBOL_SECRET: service.ctx.config.secret,
    ...service.backendEnv,
  };
  return spawn(process.execPath, [program, 'import', 'users', file, '--json', ...options], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function runImport(...options: string[]) {
  const child = startImport(...options);
  const answer = await text(child.stdout);
  return JSON.parse(answer);
}

async function recordsDone(): Promise<number> {
  const { rows } = await owner.query('select coalesce(sum(records_done), 0)::int as done from auth.imports');
  return rows[0].done;
}

test(
  `${peopleMax} people with mixed hashes come in one command, killed half-way and resumed`,
  { timeout: 1_800_000 },
  async () => {
    const people = Array.from({ length: peopleMax }, (_, number) => ({
      email: emailOf(number),
      name: `Person ${number}`,
      username: `person-${number}`,
      passwordHash: kinds[number % kinds.length]?.[1],
      credits: number % 10 === 0 ? 100 : 0,
    }));
    await writeFile(file, people.map((person) => JSON.stringify(person)).join('\n'));

    const killed = startImport();
    const ended = once(killed, 'exit');
    while ((await recordsDone()) < peopleMax / 3);
    killed.kill('SIGKILL');
    await ended;
    const done = await recordsDone();
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(peopleMax);

    const report = await runImport();
    expect(report).toMatchObject({ created: peopleMax, updated: 0, skipped: 0, resumedAfter: done });
    const { rows } = await owner.query(`
    select count(*)::int as people, count(distinct email)::int as addresses,
           (select count(*)::int from auth.passwords) as passwords,
           (select count(*)::int from credits.balances) as wallets,
           (select sum(paid)::int from credits.balances) as credits
      from auth.users`);
    expect(rows[0]).toEqual({
      people: peopleMax,
      addresses: peopleMax,
      passwords: peopleMax,
      wallets: peopleMax,
      credits: Math.ceil(peopleMax / 10) * 100,
    });
    expect(await runImport()).toMatchObject({ created: peopleMax, wasFinished: true });
    expect(await verifyLedger(service.ctx.db, {})).toMatchObject({ isSound: true, wallets: peopleMax });
  },
);

test.each(kinds.map(([kind], number) => [kind, number] as const))(
  'whoever came with %s signs in, and has a hash of ours then',
  async (_, number) => {
    const person = { email: emailOf(number), password: samplePassword, id: '' };
    expect((await logIn(service, person, 'wrong')).body.code).toBe('auth.invalid_credentials');
    expect((await logIn(service, person)).status).toBe(200);
    const { rows } = await owner.query(
      'select hash from auth.passwords p join auth.users u on u.id = p.user_id where email = $1',
      [person.email],
    );
    expect(rows[0].hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect((await logIn(service, person)).status).toBe(200);
  },
);
