import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startTestService, type TestService } from './harness/index.ts';
import { registerPerson, signIn } from './harness/people.ts';

const waiting = { timeout: 10_000 };

/** Stops every request that reads people, or another table, until `open` is called. */
async function closeGate(service: TestService, table = 'auth.users') {
  const gate = new pg.Client({ connectionString: service.ownerUrl });
  await gate.connect();
  onTestFinished(() => gate.end());
  await gate.query(`begin; lock table ${table} in access exclusive mode`);
  return {
    open: () => gate.query('commit'),
    untilWaitedFor: () =>
      vi.waitFor(async () => {
        const { rows } = await gate.query(
          `select 1 from pg_locks where not granted and relation = '${table}'::regclass`,
        );
        expect(rows).not.toEqual([]);
      }, waiting),
  };
}

type Connection = { socket: Socket; write(text: string): void; text(): string; closed: Promise<unknown> };

async function openConnection(service: TestService): Promise<Connection> {
  const { port, hostname } = new URL(service.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
  socket.on('error', () => socket.destroy());
  return { socket, write: (text) => socket.write(text), text: () => received, closed: once(socket, 'close') };
}

const get = (path: string, token = '') =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\n${token ? `Authorization: Bearer ${token}\r\n` : ''}\r\n`;

async function openRequest(service: TestService) {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const gate = await closeGate(service);
  const inFlight = await openConnection(service);
  inFlight.write(get('/api/v1/auth/me', accessToken));
  await gate.untilWaitedFor();
  return { gate, inFlight };
}

test('a stop answers what is in flight, closes what is idle and takes nothing new', async () => {
  const service = await startTestService();
  const idle = await openConnection(service);
  idle.write(get('/health/live'));
  await vi.waitFor(() => expect(idle.text()).toContain('"status":"ok"'), waiting);
  const { gate, inFlight } = await openRequest(service);
  const probe = await openConnection(service);
  const [head, tail] = [get('/health/ready').slice(0, -2), '\r\n'];
  probe.write(get('/health/live') + head);
  await vi.waitFor(() => expect(probe.text()).toContain('"status":"ok"'), waiting);

  let isStopped = false;
  const stopping = service.stop().then(() => (isStopped = true));
  await idle.closed;
  await vi.waitFor(
    () => expect(openConnection(service)).rejects.toMatchObject({ code: 'ECONNREFUSED' }),
    waiting,
  );
  probe.write(tail);
  await probe.closed;
  expect(probe.text()).toContain('HTTP/1.1 503 ');
  expect(probe.text()).toContain('"accepting":"failed"');
  expect(isStopped).toBe(false);
  expect(inFlight.text()).toBe('');

  await gate.open();
  await inFlight.closed;
  await stopping;
  expect(inFlight.text()).toMatch(/^HTTP\/1\.1 200 /);
  expect(inFlight.text()).toMatch(/^connection: close\r$/im);
  expect(inFlight.text()).toContain('"emailVerified":false');
});

test('what takes longer than SHUTDOWN_TIMEOUT is cut off', async () => {
  const service = await startTestService({ env: { SHUTDOWN_TIMEOUT: '1s' } });
  const { gate, inFlight } = await openRequest(service);
  const stopping = service.stop();
  await inFlight.closed;
  expect(inFlight.text()).toBe('');
  await gate.open();
  await stopping;
});

test('a stop does not wait for a database that does not answer', async () => {
  const service = await startTestService({ statementMs: 2000, env: { SHUTDOWN_TIMEOUT: '1s' } });
  const { gate, inFlight } = await openRequest(service);
  await Promise.all([service.stop(), inFlight.closed]);
  await gate.open();
});

test('what the OAuth library answers while the service stops ends its connection, too', async () => {
  const service = await startTestService({ env: { SHUTDOWN_TIMEOUT: '1h' } });
  const gate = await closeGate(service, 'apps.applications');
  const inFlight = await openConnection(service);
  const form = 'grant_type=client_credentials&client_id=nobody&client_secret=none';
  inFlight.write(
    `POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
      `Content-Length: ${form.length}\r\n\r\n${form}`,
  );
  await gate.untilWaitedFor();
  const stopping = service.stop();
  await vi.waitFor(() => expect(service.app.isDraining()).toBe(true), waiting);
  await gate.open();
  await inFlight.closed;
  await stopping;
  expect(inFlight.text()).toContain('invalid_client');
});
