import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { loadConfig } from '../../src/config.ts';
import { prepareDatabase } from '../../src/db/connect.ts';
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
  }
}

const backends: Record<string, (dir: string) => Promise<Backend>> = {
  embedded: startEmbeddedBackend,
  debian: startDebianBackend,
};

/**
 * One set of servers for the whole run, and in their PostgreSQL the migrated template that each test file
 * clones.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const name = process.env.OBOL_TEST_BACKEND ?? 'embedded';
  const start = backends[name];
  if (!start)
    throw new Error(`OBOL_TEST_BACKEND is ${name}; it can be ${Object.keys(backends).join(' or ')}`);
  const scratch = await openScratchDir();
  const backend = await start(scratch.dir);
  await createTemplate(backend.adminUrl);
  project.provide('backend', name);
  project.provide('adminUrl', backend.adminUrl);
  project.provide('poolerPort', backend.poolerPort);
  project.provide('redisUrl', backend.redisUrl);
  return async () => {
    await backend.stop();
    await scratch.remove();
  };
}

async function createTemplate(adminUrl: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query('create role obol_owner login createrole');
  await admin.query('create database obol_template owner obol_owner');
  await admin.end();
  const ownerUrl = new URL(adminUrl);
  ownerUrl.username = 'obol_owner';
  ownerUrl.pathname = '/obol_template';
  const config = loadConfig({ OBOL_SECRET: 'test secret, thirty-two characters long' });
  await prepareDatabase(config, ownerUrl.href);
}
