import pg from 'pg';
import { pino } from 'pino';
import { loadConfig } from '../config.ts';
import { prepareDatabase } from '../db/connect.ts';
import { createService } from '../service.ts';
import { readCatalogue } from './catalogue.ts';
import { renderConfiguration, renderEnvExample } from './configuration.ts';
import { renderErrors } from './errors.ts';
import { renderEvents } from './events.ts';
import { readComments, renderSchema } from './schema.ts';

/** A generated file: its path from the root of the repository, and what must stand in it. */
export type Reference = { path: string; text: string };

/** Settings that make the references the same on every machine. */
const env = { OBOL_SECRET: 'a secret for a database that is thrown away', LOG_LEVEL: 'silent' };

/**
 * Renders every reference. `databaseUrl` is an empty database, or a migrated one, of a role that may migrate
 * it.
 */
export async function renderReferences(databaseUrl: string): Promise<Reference[]> {
  const config = loadConfig(env);
  const { ownerUrl, appUrl } = await prepareDatabase(config, databaseUrl);
  return [
    { path: '.env.example', text: renderEnvExample() },
    { path: 'docs/reference/configuration.md', text: renderConfiguration() },
    { path: 'docs/reference/errors.md', text: renderErrors() },
    { path: 'docs/reference/events.md', text: renderEvents() },
    { path: 'docs/reference/schema.md', text: await schemaOf(ownerUrl) },
    { path: 'docs/reference/openapi.json', text: await openapiOf(appUrl) },
  ];
}

async function schemaOf(ownerUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    return renderSchema(await readCatalogue(client), await readComments());
  } finally {
    await client.end();
  }
}

/** The document that the service itself answers with. */
async function openapiOf(appUrl: string): Promise<string> {
  const log = pino({ level: 'silent' });
  const service = await createService({ config: loadConfig(env), appUrl, log, runsJobs: false });
  try {
    const answer = await service.app.inject({ method: 'GET', url: '/openapi.json' });
    if (answer.statusCode !== 200) throw new Error(`/openapi.json answers ${answer.statusCode}`);
    return `${JSON.stringify(answer.json(), undefined, 2)}\n`;
  } finally {
    await service.stop();
  }
}
