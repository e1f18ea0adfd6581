import { randomUUID } from 'node:crypto';
import type { PlanClient } from './client.ts';

/** Something that the service is asked often; `run` asks it once. */
export type Operation = { title: string; run: (client: PlanClient) => Promise<unknown> };

const credits = '/api/v1/credits';
const spend = { amount: 3, appId: 'app-1', description: 'A spend' };
const day = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString();

/** Behind the person who registered this second: the list is the newest first. */
const cursor = (second: string) =>
  Buffer.from(
    JSON.stringify([
      `2020-01-01T00:${second}.000Z`,
      'f'.repeat(8) + '-ffff'.repeat(3) + '-' + 'f'.repeat(12),
    ]),
  ).toString('base64url');

/** The list of everybody, as administrators ask for it. */
const lists = [
  { title: 'People, first page', query: 'limit=50' },
  { title: 'People, last page by cursor', query: `limit=50&cursor=${cursor('00:50')}` },
  { title: 'People, a page by offset', query: 'limit=50&offset=1000' },
  { title: 'Administrators', query: 'role=admin' },
  { title: 'Inactive people, first page', query: 'isActive=false' },
  { title: 'Inactive people, last page by cursor', query: `isActive=false&cursor=${cursor('30:00')}` },
  { title: 'Search for an address', query: 'search=person-99%40' },
  { title: 'Search that finds eleven thousand', query: 'search=surname99' },
  {
    title: 'Search that finds eleven thousand, last page',
    query: `search=surname99&cursor=${cursor('20:00')}`,
  },
  { title: 'Search that finds everybody, first page', query: 'search=person' },
  { title: 'Search that finds everybody, last page', query: `search=person&cursor=${cursor('00:50')}` },
  { title: 'Search by domain among the inactive', query: 'search=%40example.com&isActive=false' },
];

/** Every kind of request on the hot path, of a wallet with a usual history and of the hot one. */
export const operations: Operation[] = [
  { title: 'Balance', run: ({ get, usual }) => get(usual, `${credits}/balance`) },
  {
    title: 'Spend',
    run: ({ post, usual }) => post(usual, `${credits}/use`, { ...spend, idempotencyKey: randomUUID() }),
  },
  {
    title: 'Spends of a hundred wallets in one call',
    run: ({ post, many }) => Promise.all(many.map((person) => post(person, `${credits}/use`, spend))),
  },
  { title: 'Spend from the hot wallet', run: ({ post, hot }) => post(hot, `${credits}/use`, spend) },
  {
    title: 'Replay of a spend by its idempotency key',
    run: ({ post, usual }) => post(usual, `${credits}/use`, { ...spend, idempotencyKey: 'the same key' }),
  },
  { title: 'Quote', run: ({ post, usual }) => post(usual, `${credits}/quote`, spend) },
  {
    title: 'Hold, capture',
    run: async ({ post, usual }) => {
      const hold = await post<{ id: string }>(usual, `${credits}/holds`, { ...spend, expiresInSeconds: 600 });
      return post(usual, `${credits}/holds/${hold.id}/capture`, { amount: 2 });
    },
  },
  { title: 'List of holds', run: ({ get, usual }) => get(usual, `${credits}/holds`) },
  { title: 'List of mandates', run: ({ get, usual }) => get(usual, `${credits}/mandates`) },
  {
    title: 'Spend by an application under a mandate',
    run: ({ post, application, usual }) =>
      post(application, `${credits}/use`, {
        amount: 3,
        appId: application.clientId,
        description: 'A spend',
        onBehalfOf: usual.userId,
      }),
  },
  {
    title: 'Transactions of the hot wallet, first page',
    run: ({ get, hot }) => get(hot, `${credits}/transactions`),
  },
  {
    title: 'Transactions of the hot wallet, last page by cursor',
    run: ({ get, hot }) =>
      get(hot, `${credits}/transactions?cursor=${Buffer.from('s40').toString('base64url')}`),
  },
  {
    title: 'Transactions of the hot wallet in a span of time',
    run: ({ get, hot }) => get(hot, `${credits}/transactions?from=${day(200)}&to=${day(199)}`),
  },
  {
    title: 'Transactions of a usual wallet, of one app',
    run: ({ get, usual }) => get(usual, `${credits}/transactions?appId=app-1`),
  },
  {
    title: 'Transactions of the hot wallet, of one app, within a day',
    run: ({ get, hot }) => get(hot, `${credits}/transactions?appId=app-1&from=${day(200)}&to=${day(199)}`),
  },
  {
    title: 'Statement of the hot wallet, an hour',
    run: ({ get, hot }) => get(hot, `${credits}/statement?from=${day(200)}&to=${day(199.96)}`),
  },
  {
    title: 'Balance of a usual wallet in the past',
    run: ({ get, usual }) => get(usual, `${credits}/balance-at?at=${day(200)}`),
  },
  { title: 'Usage by app', run: ({ get, usual }) => get(usual, `${credits}/usage?groupBy=app`) },
  {
    title: 'Usage by day',
    run: ({ get, hot }) => get(hot, `${credits}/usage?groupBy=day&from=${day(200).slice(0, 10)}`),
  },
  {
    title: 'Receipt',
    run: async ({ get, usual }) => {
      const [last] = await get<{ id: string }[]>(usual, `${credits}/transactions?limit=1`);
      return get(usual, `${credits}/transactions/${last?.id}/receipt`);
    },
  },
  { title: 'Refresh of a session', run: ({ refresh }) => refresh() },
  { title: 'Profile', run: ({ get, usual }) => get(usual, '/api/v1/users/me') },
  ...lists.map(({ title, query }) => ({
    title,
    run: ({ get, administrator }: PlanClient) => get(administrator, `/api/v1/users?${query}`),
  })),
  { title: 'Purchases of a person', run: ({ get, usual }) => get(usual, `${credits}/purchases`) },
  { title: 'A delivery of a payment provider', run: ({ pay }) => pay(1) },
  { title: 'Fifty deliveries of a payment provider at once', run: ({ pay }) => pay(50) },
  {
    title: 'Events of payment providers, first page',
    run: ({ get, administrator }) => get(administrator, '/api/v1/payments/events'),
  },
  {
    title: 'Pending purchases whose provider is to be asked',
    run: ({ takeDueChecks }) => takeDueChecks(),
  },
  { title: 'Audit of a sample of the ledger', run: ({ audit }) => audit() },
  { title: 'Verification of one wallet', run: ({ verify, usual }) => verify(usual) },
];
