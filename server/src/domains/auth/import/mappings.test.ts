import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeIn } from '../../../../test/harness/imports.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { logIn } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import type { MappingName, MappingParameters } from '../index.ts';

// The samples of the guides, taken in as the guides say. Everybody's password there is `imported pass`.

type Expected = {
  user?: Record<string, unknown>;
  accounts?: { provider: string; provider_account_id: string }[];
  externalId?: string | null;
  hasPassword?: boolean;
  notes?: string[];
  created?: number;
};

const google = { provider: 'https://accounts.google.com', provider_account_id: '1234567890' };
const idOf = (last: string) => `6f6d5f3e-6a35-4f0e-9d1c-3a0c1c1f2a0${last}`;
const ada = { email: 'ada@example.com', name: 'Ada', emailVerified: true, role: 'user' };

const samples: [string, MappingName, Expected][] = [
  [
    'migrate',
    'obol',
    {
      user: { ...ada, id: idOf('1'), username: 'ada', credits: 427 },
      accounts: [google],
      externalId: idOf('1'),
    },
  ],
  [
    'migrate-auth0',
    'auth0',
    { user: ada, accounts: [google], externalId: 'auth0|60425dc43519d90068f82973', created: 2 },
  ],
  [
    'migrate-better-auth',
    'better-auth',
    {
      user: { ...ada, picture: 'https://example.com/ada.png' },
      accounts: [{ provider: 'https://github.com/login/oauth', provider_account_id: '1234567' }],
      externalId: 'kq0Wb2pG7yJt5aYxN3dLrV8sEfZhUcMo',
    },
  ],
  [
    'migrate-firebase',
    'firebase',
    {
      user: { ...ada, picture: 'https://example.com/ada.png', createdAt: '2024-05-06T07:08:09.000Z' },
      accounts: [google],
      externalId: 'w7aQ1b',
    },
  ],
  [
    'migrate-mana',
    'mana',
    { user: { ...ada, id: idOf('2'), credits: 427 }, accounts: [google], externalId: idOf('2') },
  ],
  ['migrate-moxie', 'moxie', { hasPassword: false, notes: ['role_left_out'], externalId: idOf('3') }],
  [
    'migrate-devportal',
    'devportal',
    { user: { id: idOf('4'), username: 'ada', emailVerified: false, credits: 0 }, externalId: idOf('4') },
  ],
];

async function blocksOf(guide: string): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, `../../../../../docs/guides/${guide}.md`), 'utf8');
  return [...text.matchAll(/```(?:json|csv)\n([\s\S]*?)```/g)].map(([, block = '']) => block);
}

function parametersOf(blocks: string[]): MappingParameters {
  if (blocks.length < 2) return {};
  const { base64_signer_key, base64_salt_separator, rounds, mem_cost } = JSON.parse(blocks[0]!);
  return {
    firebase: {
      signerKey: base64_signer_key,
      saltSeparator: base64_salt_separator,
      rounds,
      memoryCost: mem_cost,
    },
  };
}

test.each(samples)(
  '%s.md: its sample is taken in, and its people sign in',
  async (guide, mapping, expected) => {
    const service = await startTestService();
    const owner = await connectAsOwner(service);
    const blocks = await blocksOf(guide);
    const content = blocks.at(-1)!;
    const format = content.startsWith('{') ? 'jsonl' : 'csv';
    const taken = await takeIn(service, content, { mapping, format, parameters: parametersOf(blocks) });
    expect(taken).toMatchObject({ created: expected.created ?? 1, skipped: 0 });
    expect(taken.notes.map(({ reason }) => reason)).toEqual(expected.notes ?? []);

    const { rows } = await owner.query(
      `select i.external_id, (select json_agg(json_build_object('provider', a.provider,
              'provider_account_id', a.provider_account_id)) from auth.accounts a where a.user_id = u.id) as accounts
       from auth.users u join auth.imported_people i on i.user_id = u.id where u.email = 'ada@example.com'`,
    );
    expect(rows).toEqual([{ external_id: expected.externalId, accounts: expected.accounts ?? null }]);
    const login = await logIn(service, { email: 'ada@example.com', password: 'imported pass', id: '' });
    expect(login.status).toBe(expected.hasPassword === false ? 401 : 200);
    if (expected.user) expect(login.body.user).toMatchObject(expected.user);
  },
);

test('whoever was blocked at Auth0 is found, and stays out', async () => {
  const service = await startTestService();
  const [content = ''] = await blocksOf('migrate-auth0');
  await takeIn(service, content, { mapping: 'auth0' });
  const login = await logIn(service, { email: 'ben@example.com', password: 'imported pass', id: '' });
  expect(login.body.code).toBe('auth.account_deactivated');
});

test('a Firebase hash without the parameters of its project is noted', async () => {
  const service = await startTestService();
  const blocks = await blocksOf('migrate-firebase');
  const taken = await takeIn(service, blocks.at(-1)!, { mapping: 'firebase' });
  expect(taken.notes).toMatchObject([{ outcome: 'created', reason: 'hash_unknown' }]);
});
