import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { pino, type Logger } from 'pino';
import { afterAll, inject } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { MailboxEntry } from '../../src/mail/index.ts';
import { prepareDatabase } from '../../src/db/connect.ts';
import { createService, type Service, type ServiceOptions } from '../../src/service.ts';

/** A clock that stands still until a test moves it. */
export type TestClock = {
  now(): Date;
  set(time: Date | string): void;
  advance(span: { ms?: number; seconds?: number; minutes?: number; hours?: number; days?: number }): void;
};

export type Answer = { status: number; headers: Headers; body: any };

export type TestService = Service & {
  url: string;
  clock: TestClock;
  /** Connection as the owner of the schema, for what only a test may do. */
  ownerUrl: string;
  /** Connection as the role that serves, through the pooler where the backend has one. */
  appUrl: string;
  /** Settings that lead to servers of the backend, such as REDIS_URL. */
  backendEnv: Record<string, string>;
  /** Runs the jobs that are due, then returns what is in the mailbox for an address, newest first. */
  mails(to?: string): Promise<MailboxEntry[]>;
  /** Sends JSON and reads JSON; `token` becomes the bearer token. */
  send(
    method: string,
    path: string,
    options?: { body?: unknown; token?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
};

export type TestServiceOptions = {
  env?: Record<string, string>;
  startAt?: string;
  shareDatabaseWith?: TestService;
  clock?: TestClock;
  /**
   * Polls for jobs like in production. By default jobs run when a test asks for them (`mails`,
   * `ctx.jobs.runDue`).
   */
  runsJobs?: boolean;
  /** Takes the log lines that a test reads. */
  log?: Logger;
  /** A port to listen on, when clients must know the address beforehand. */
  port?: number;
  /** Stands in for DNS where webhooks are sent. */
  resolve?: NonNullable<ServiceOptions['resolve']>;
  /** In place of the payment providers that the settings set up. */
  paymentProviders?: NonNullable<ServiceOptions['paymentProviders']>;
  /** How long a statement may take. */
  statementMs?: number;
};

const defaultEnv = {
  OBOL_SECRET: 'test secret, thirty-two characters long',
  LOG_LEVEL: 'silent',
  RATE_LIMIT_ENABLED: 'false',
  PORT: '0',
};

export function createTestClock(startAt = '2026-03-01T12:00:00.000Z'): TestClock {
  let time = new Date(startAt).getTime();
  return {
    now: () => new Date(time),
    set: (to) => {
      time = new Date(to).getTime();
    },
    advance: ({ ms = 0, seconds = 0, minutes = 0, hours = 0, days = 0 }) => {
      time += ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)));
    },
  };
}

/**
 * Starts the service on a database of its own (cloned from the migrated template) or on another service's,
 * listening on a free port. It is stopped after the last test of the file.
 */
export async function startTestService(options: TestServiceOptions = {}): Promise<TestService> {
  const database = options.shareDatabaseWith ?? (await cloneDatabase());
  const backendEnv = options.shareDatabaseWith?.backendEnv ?? (await prepareBackendEnv());
  const config = loadConfig({ ...defaultEnv, ...backendEnv, ...options.env });
  const clock = options.clock ?? options.shareDatabaseWith?.clock ?? createTestClock(options.startAt);
  const appUrl = throughPooler((await prepareDatabase(config, database.ownerUrl)).appUrl);
  const log = options.log ?? pino({ level: config.logLevel });
  const { runsJobs = false, resolve, paymentProviders, statementMs } = options;
  const handed = {
    ...(resolve ? { resolve } : {}),
    ...(paymentProviders ? { paymentProviders } : {}),
    ...(statementMs === undefined ? {} : { statementMs }),
  };
  const parts = { config, appUrl, clock, log, runsJobs, ...handed };
  const service = await createService(parts);
  const address = await service.app.listen({ port: options.port ?? 0, host: '127.0.0.1' });
  const url = address.replace(/\/$/, '');
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= service.stop());
  afterAll(stop);
  return {
    ...service,
    stop,
    url,
    clock,
    appUrl,
    backendEnv,
    ownerUrl: database.ownerUrl,
    async mails(to) {
      await service.ctx.jobs.runDue();
      return service.ctx.mail.mailbox?.list(to) ?? [];
    },
    send: (method, path, request) => sendJson(`${url}${path}`, method, request),
  };
}

/** The address with the pooler of the backend in place of PostgreSQL itself, where there is one. */
export function throughPooler(databaseUrl: string): string {
  const poolerPort = inject('poolerPort');
  if (poolerPort === null) return databaseUrl;
  const url = new URL(databaseUrl);
  url.port = String(poolerPort);
  return url.href;
}

/**
 * Each service gets a Redis database of its own, where the backend has Redis, as it gets a PostgreSQL
 * database.
 */
async function prepareBackendEnv(): Promise<Record<string, string>> {
  const redisUrl = inject('redisUrl');
  if (redisUrl === null) return {};
  const redis = new Redis(redisUrl);
  const database = await redis.incr('databases');
  redis.disconnect();
  return { REDIS_URL: `${redisUrl}/${database}` };
}

/** A database cloned from the migrated template. */
export async function cloneDatabase(): Promise<{ ownerUrl: string }> {
  const adminUrl = inject('adminUrl');
  const template = inject('template');
  const name = `${template}_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`create database ${name} template ${template} owner obol_owner`);
  await admin.end();
  const url = new URL(adminUrl);
  url.username = 'obol_owner';
  url.pathname = `/${name}`;
  return { ownerUrl: url.href };
}

/** Sends JSON and reads JSON. */
export async function sendJson(
  url: string,
  method: string,
  options: { body?: unknown; token?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(options.body !== undefined ? { 'content-type': 'application/json' } : {}),
      ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
      ...options.headers,
    },
    ...(options.body !== undefined ? { body: JSON.stringify(options.body) } : {}),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  };
}
