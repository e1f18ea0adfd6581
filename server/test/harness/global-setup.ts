import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { loadConfig } from '../../src/config.ts';
import { prepareDatabase } from '../../src/db/connect.ts';
import { findChromium } from '../browser/chromium.ts';
import { startDebianBackend } from './backends/debian.ts';
import { startEmbeddedBackend } from './backends/embedded.ts';
import { openScratchDir, type Backend } from './backends/scratch.ts';

/** What the test files are told about the servers of this run; null where the backend has none. */
declare module 'vitest' {
  interface ProvidedContext {
    backend: string;
    adminUrl: string;
    poolerPort: number | null;
    redisUrl: string | null;
    /** The migrated database that test files clone. */
    template: string;
  }
}

const ownTemplate = 'obol_template';

const backends: Record<string, (dir: string) => Promise<Backend>> = {
  embedded: startEmbeddedBackend,
  debian: startDebianBackend,
};

/**
 * One set of servers for the whole run, and in their PostgreSQL the migrated template that each test file
 * clones.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  buildPages();
  announceBrowser();
  const adminUrl = process.env.OBOL_TEST_ADMIN_URL;
  if (adminUrl !== undefined) return setUpWithin(project, adminUrl);
  const name = process.env.OBOL_TEST_BACKEND ?? 'embedded';
  const start = backends[name];
  if (!start)
    throw new Error(`OBOL_TEST_BACKEND is ${name}; it can be ${Object.keys(backends).join(' or ')}`);
  const scratch = await openScratchDir();
  const backend = await start(scratch.dir);
  await createTemplate(backend.adminUrl, ownTemplate);
  provide(project, name, backend, ownTemplate);
  return async () => {
    await backend.stop();
    await scratch.remove();
  };
}

/** Without Chromium the tests that need it are left out, where that is allowed. */
function announceBrowser(): void {
  if (findChromium() !== undefined) return;
  const message =
    'The browser tests are left out: Chromium not found. To include them: apt-get install chromium, or name ' +
    'the program with CHROMIUM.';
  if (process.env.OBOL_BROWSER_REQUIRED === 'true') throw new Error(message);
  process.stdout.write(`${message}\n`);
}

/** The services under test serve the pages as they are now. */
function buildPages(): void {
  const build = join(import.meta.dirname, '../../../web/build/main.ts');
  const { status } = spawnSync(process.execPath, [build], { stdio: 'inherit' });
  if (status !== 0) throw new Error('The pages could not be built; what is wrong with them stands above');
}

/**
 * A run in a PostgreSQL that somebody else has started, beside other runs: with a template of its own, and
 * nothing left of it at the end.
 */
async function setUpWithin(project: TestProject, adminUrl: string): Promise<() => Promise<void>> {
  const template = `${ownTemplate}_${randomBytes(4).toString('hex')}`;
  await createTemplate(adminUrl, template);
  provide(project, 'embedded', { adminUrl, poolerPort: null, redisUrl: null }, template);
  return () =>
    asAdmin(adminUrl, async (admin) => {
      const { rows } = await admin.query<{ datname: string }>(
        'select datname from pg_database where starts_with(datname, $1)',
        [template],
      );
      for (const { datname } of rows) await admin.query(`drop database ${datname} with (force)`);
    });
}

function provide(
  project: TestProject,
  name: string,
  { adminUrl, poolerPort, redisUrl }: Omit<Backend, 'stop'>,
  template: string,
): void {
  project.provide('backend', name);
  project.provide('adminUrl', adminUrl);
  project.provide('poolerPort', poolerPort);
  project.provide('redisUrl', redisUrl);
  project.provide('template', template);
}

async function createTemplate(adminUrl: string, template: string): Promise<void> {
  await asAdmin(adminUrl, async (admin) => {
    await admin.query(`do $$ begin
      create role obol_owner login createrole;
    exception when duplicate_object or unique_violation then null;
    end $$`);
    await admin.query(`create database ${template} owner obol_owner`);
  });
  const ownerUrl = new URL(adminUrl);
  ownerUrl.username = 'obol_owner';
  ownerUrl.pathname = `/${template}`;
  const config = loadConfig({ OBOL_SECRET: 'test secret, thirty-two characters long' });
  await prepareDatabase(config, ownerUrl.href);
}

async function asAdmin(adminUrl: string, work: (admin: pg.Client) => Promise<void>): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
