import pg from 'pg';
import { expect } from 'vitest';
import type { TestService } from './index.ts';
import { addWalletHolder, type WalletHolder } from './wallets.ts';

export type TestApplication = {
  id: string;
  clientId: string;
  clientSecret: string;
  /** What it sends to identify itself. */
  headers: { authorization: string };
};

/** Registers an application through the API; whoever `token` belongs to becomes its administrator. */
export async function registerApplication(
  service: TestService,
  token: string,
  given: Record<string, unknown> = {},
): Promise<TestApplication> {
  const { status, body } = await service.send('POST', '/api/v1/applications', {
    token,
    body: { name: 'Notes', redirectUri: 'https://notes.example.com/callback', roles: ['editor'], ...given },
  });
  expect(status).toBe(201);
  const { id, clientId, clientSecret } = body.application;
  return { id, clientId, clientSecret, headers: basicHeaders(clientId, clientSecret) };
}

/** The header by which an application identifies itself. @see RFC 6749 §2.3.1 */
export function basicHeaders(clientId: string, clientSecret: string): { authorization: string } {
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** Makes a signed-in person a member, past the request for access that comes before. */
export async function addMember(
  service: TestService,
  applicationId: string,
  role = 'editor',
): Promise<WalletHolder> {
  const holder = await addWalletHolder(service);
  const owner = new pg.Client({ connectionString: service.ownerUrl });
  await owner.connect();
  await owner.query(`select set_config('obol.at', $1, false)`, [service.clock.now().toISOString()]);
  await owner.query(
    `insert into apps.memberships (application_id, user_id, role, created_at) values ($1, $2, $3, $4)`,
    [applicationId, holder.userId, role, service.clock.now()],
  );
  await owner.end();
  return holder;
}
