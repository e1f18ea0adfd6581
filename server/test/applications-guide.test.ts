import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCurl } from './harness/curl.ts';
import { startTestService } from './harness/index.ts';
import { addWalletHolder } from './harness/wallets.ts';

// The commands of the guide on applications, run as they stand.

const guide = await readFile(join(import.meta.dirname, '../../docs/guides/applications.md'), 'utf8');
const commands = [...guide.matchAll(/```bash\n([\s\S]*?)\n```/g)].flatMap((match) => match[1]!.split('\n'));

test('an application is registered, opened, used and deleted the way the guide says', async () => {
  const service = await startTestService();
  const [ada, ben] = [await addWalletHolder(service), await addWalletHolder(service)];
  const values: Record<string, string> = {
    ACCESS_TOKEN: ada.token,
    BEN_TOKEN: ben.token,
    BEN_ID: ben.userId,
  };
  const left = [...commands];
  /** Runs the next command of the page, which must be this one. */
  const run = async (start: string) => {
    const command = left.shift() ?? '';
    expect(command).toContain(start);
    const known = command.replaceAll(/\$([A-Z_]+)/g, (_, name: string) => values[name] ?? '');
    const { status, body } = await runCurl(service.url, known);
    expect(status, JSON.stringify(body)).toBeLessThan(300);
    return body;
  };

  const { application } = await run('POST http://localhost:3001/api/v1/applications ');
  expect(application).toMatchObject({ roles: ['editor', 'viewer', 'admin'], defaultRole: 'viewer' });
  values.APPLICATION_ID = application.id;
  values.CLIENT_ID = application.clientId;
  const changed = await run('PUT http://localhost:3001/api/v1/applications/');
  expect(changed.application.resources).toEqual([
    { identifier: 'https://api.notes.example.com', scopes: ['notes:read', 'notes:write'], clients: [] },
  ]);
  expect((await run('/rotate-secret')).clientSecret).not.toBe(application.clientSecret);

  const { accessRequest } = await run('POST http://localhost:3001/api/v1/access-requests');
  values.REQUEST_ID = accessRequest.id;
  expect(await service.mails(`${ada.userId}@example.com`)).toHaveLength(1);
  const { accessRequests } = await run('http://localhost:3001/api/v1/access-requests ');
  expect(accessRequests).toMatchObject([{ id: accessRequest.id, user: { emailVerified: false } }]);
  expect((await run('/approve')).accessRequest.role).toBe('editor');
  expect(await service.mails(`${ben.userId}@example.com`)).toHaveLength(1);
  expect((await run('{"access":"open"}')).application.access).toBe('open');

  expect((await run('/users ')).users).toHaveLength(2);
  expect((await run('/users/$BEN_ID')).user.role).toBe('admin');
  await run('DELETE http://localhost:3001/api/v1/applications/$APPLICATION_ID/users/$BEN_ID');
  expect(await run('/applications/stats')).toEqual({ total: 1, active: 1, pending: 0 });
  expect((await run('/$APPLICATION_ID/stats')).stats).toMatchObject({ members: 1, pending: 0 });
  expect((await run('/users/me/grants')).grants).toEqual([]);
  await run('DELETE http://localhost:3001/api/v1/applications/$APPLICATION_ID ');
  expect(left).toEqual([]);
});
