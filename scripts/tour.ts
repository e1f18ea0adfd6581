import { randomUUID } from 'node:crypto';

/** What the tour needs from outside: where the service is, where the transcript goes, and how time passes. */
export type TourOptions = {
  url: string;
  print: (line: string) => void;
  /** Lets the given time pass: waits for real, or moves a test's clock. */
  pass: (seconds: number) => Promise<void>;
  /** The service's REFRESH_REUSE_WINDOW_SECONDS. */
  reuseWindowSeconds: number;
};

type Json = Record<string, unknown>;
type Answer<Body> = { status: number; headers: Headers; body: Body };
type Tokens = { accessToken: string; refreshToken: string };
type Session = { id: string; deviceName: string; current: boolean };
type Entry = { account: string; amount: number };
type Transaction = {
  type: string;
  amount: number;
  balanceAfter: number;
  appId: string | null;
  description: string | null;
  entries?: Entry[];
};
type Spend = { success: true; newBalance: { available: number } };
type Problem = { code: string; required?: number; available?: number; topUp?: unknown };
type Person = { name: string; email: string; password: string };

/**
 * Walks through the service as its users would, by HTTP alone: two people, two devices, three apps, a
 * replayed key, an exhausted wallet, a rotated and a stolen refresh token, a revoked device, the journal and
 * its trial balance. Rejects as soon as the service answers anything else than the transcript says.
 */
export async function runTour(options: TourOptions): Promise<void> {
  const tour = createTour(options);
  const alice = await tour.register('Alice');
  const bob = await tour.register('Bob');
  const laptop = await tour.signIn(alice, 'laptop');
  const phone = await tour.signIn(alice, 'phone');
  const bobDevice = await tour.signIn(bob, 'tablet');
  await tour.showDevices(laptop);
  await spendFromThreeApps(tour, laptop, phone);
  await replayKey(tour, laptop);
  await exhaustWallet(tour, bobDevice);
  const phoneNow = await stealRefreshToken(tour, options, phone);
  await revokeDevice(tour, alice, laptop, phoneNow);
  await showJournal(tour, laptop, bobDevice);
}

type Tour = ReturnType<typeof createTour>;

/**
 * Calls a route with JSON; the answer is taken to be what the caller says. A tour that comes too soon after
 * another waits as long as the service's rate limit asks for.
 */
function callerAt(baseUrl: string, { print, pass }: Pick<TourOptions, 'print' | 'pass'>) {
  return async <Body>(method: string, path: string, token?: string, body?: Json): Promise<Answer<Body>> => {
    const send = () =>
      fetch(`${baseUrl}${path}`, {
        method,
        headers: {
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...(token ? { authorization: `Bearer ${token}` } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    let response = await send();
    if (response.status === 429) {
      const seconds = Number(response.headers.get('retry-after'));
      print(`(429 for ${path}: waiting ${seconds} s, as Retry-After says)`);
      await pass(seconds);
      response = await send();
    }
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text ? JSON.parse(text) : {}) as Body,
    };
  };
}

function createTour({ url, print, pass }: TourOptions) {
  const call = callerAt(`${url}/api/v1`, { print, pass });
  const tour = {
    call,
    print,
    title: (text: string) => print(`\n${text}`),
    step: (text: string) => print(`  ${text}`),
    async register(name: string): Promise<Person> {
      const person = {
        name,
        email: `${name.toLowerCase()}-${randomUUID()}@example.com`,
        password: `${randomUUID()}!`,
      };
      const answer = await call<{ credits: number }>('POST', '/auth/register', undefined, person);
      expectStatus(answer, 201, `register ${name}`);
      print(`${name} registers: 201, a wallet with ${answer.body.credits} credits is there`);
      return person;
    },
    async signIn({ name, email, password }: Person, deviceName: string): Promise<Tokens> {
      const answer = await call<Tokens>('POST', '/auth/login', undefined, { email, password, deviceName });
      expectStatus(answer, 200, `sign in ${name}`);
      print(`${name} signs in on the ${deviceName}: 200, access and refresh token`);
      return answer.body;
    },
    async showDevices({ accessToken }: Tokens): Promise<Session[]> {
      const answer = await call<{ sessions: Session[] }>('GET', '/auth/sessions', accessToken);
      expectStatus(answer, 200, 'list devices');
      const { sessions } = answer.body;
      const names = sessions
        .map((session) => session.deviceName + (session.current ? ' (this one)' : ''))
        .toSorted();
      tour.step(`devices: ${names.join(', ')}`);
      return sessions;
    },
    async spend(
      { accessToken }: Tokens,
      appId: string,
      amount: number,
      idempotencyKey: string = randomUUID(),
    ) {
      const description = `${appId} work`;
      return call<Spend & Problem>('POST', '/credits/use', accessToken, {
        amount,
        appId,
        description,
        idempotencyKey,
      });
    },
  };
  return tour;
}

async function spendFromThreeApps(tour: Tour, laptop: Tokens, phone: Tokens): Promise<void> {
  tour.title("Three apps spend from Alice's one wallet");
  for (const [tokens, appId, amount] of [
    [laptop, 'chat', 40],
    [phone, 'images', 60],
    [laptop, 'search', 5],
  ] as const) {
    const answer = await tour.spend(tokens, appId, amount);
    expectStatus(answer, 200, `spend in ${appId}`);
    tour.step(
      `${appId.padEnd(6)} spends ${String(amount).padStart(2)}: 200, ${answer.body.newBalance.available} available`,
    );
  }
}

async function replayKey(tour: Tour, laptop: Tokens): Promise<void> {
  tour.title('A request is sent twice with one idempotency key, then with another amount');
  const key = randomUUID();
  const first = await tour.spend(laptop, 'chat', 10, key);
  expectStatus(first, 200, 'first spend');
  tour.step(`first: 200, ${first.body.newBalance.available} available`);
  const again = await tour.spend(laptop, 'chat', 10, key);
  expectStatus(again, 200, 'replay');
  const replayed = again.headers.get('idempotency-replayed');
  tour.step(`again: 200, ${again.body.newBalance.available} available, Idempotency-Replayed: ${replayed}`);
  const other = await tour.spend(laptop, 'chat', 11, key);
  expectStatus(other, 422, 'same key, other amount');
  tour.step(`other: 422 ${other.body.code}`);
}

async function exhaustWallet(tour: Tour, bob: Tokens): Promise<void> {
  tour.title('Bob spends all he has');
  const all = await tour.spend(bob, 'images', 150);
  expectStatus(all, 200, 'spend everything');
  tour.step(`images spends 150: 200, ${all.body.newBalance.available} available`);
  const more = await tour.spend(bob, 'chat', 1);
  expectStatus(more, 402, 'spend from an empty wallet');
  const { code, required, available, topUp } = more.body;
  tour.step(`chat   spends   1: 402 ${code} (required ${required}, available ${available})`);
  tour.step(`the answer says how to top up: ${topUp ? 'yes' : 'no'}`);
}

/** Returns what the phone holds afterwards: tokens of a family that has been ended. */
async function stealRefreshToken(tour: Tour, options: TourOptions, phone: Tokens): Promise<Tokens> {
  tour.title('The phone refreshes; somebody else has copied its old token');
  const refresh = (refreshToken: string) =>
    tour.call<Tokens & Problem>('POST', '/auth/refresh', undefined, { refreshToken });
  const rotated = await refresh(phone.refreshToken);
  expectStatus(rotated, 200, 'refresh');
  tour.step('phone refreshes: 200, a new pair');
  const race = await refresh(phone.refreshToken);
  expectStatus(race, 401, 'second use within the window');
  tour.step(`the old token at once: 401 ${race.body.code} (a lost race, the phone stays signed in)`);
  const next = await refresh(rotated.body.refreshToken);
  expectStatus(next, 200, 'refresh again');
  await options.pass(options.reuseWindowSeconds + 1);
  const theft = await refresh(phone.refreshToken);
  expectStatus(theft, 401, 'second use after the window');
  tour.step(`the old token later: 401 ${theft.body.code} (theft: the phone's session ends)`);
  const dead = await refresh(next.body.refreshToken);
  expectStatus(dead, 401, 'refresh in a dead family');
  const call = await tour.call<Problem>('GET', '/credits/balance', next.body.accessToken);
  expectStatus(call, 401, 'access token of a dead session');
  tour.step(`the phone's newest tokens: 401 ${dead.body.code}, 401 ${call.body.code}`);
  return next.body;
}

async function revokeDevice(tour: Tour, alice: Person, laptop: Tokens, dead: Tokens): Promise<void> {
  tour.title('Alice signs in on the phone again, then signs it out from the laptop');
  const phone = await tour.signIn(alice, 'phone');
  const sessions = await tour.showDevices(laptop);
  const other = sessions.find((session) => !session.current && session.deviceName === 'phone');
  if (!other || dead.accessToken === phone.accessToken) throw new Error('the phone is not among the devices');
  expectStatus(
    await tour.call('DELETE', `/auth/sessions/${other.id}`, laptop.accessToken),
    200,
    'revoke the phone',
  );
  const refused = await tour.spend(phone, 'chat', 1);
  expectStatus(refused, 401, 'spend from a revoked device');
  tour.step(`the phone spends at once: 401 ${refused.body.code}`);
}

async function showJournal(tour: Tour, alice: Tokens, bob: Tokens): Promise<void> {
  tour.title("Alice's journal: every transaction with its entries");
  const journals = await Promise.all(
    [alice, bob].map((tokens) =>
      tour.call<Transaction[]>('GET', '/credits/transactions?limit=200', tokens.accessToken),
    ),
  );
  for (const journal of journals) expectStatus(journal, 200, 'read the journal');
  for (const { type, amount, balanceAfter, appId, entries } of (journals[0]?.body ?? []).toReversed()) {
    const sides = sumByAccount(entries ?? []).map(([account, sum]) => `${account} ${signed(sum)}`);
    tour.step(
      `${type.padEnd(6)}${(appId ?? '').padEnd(7)}${signed(amount).padStart(5)} → ${String(balanceAfter).padStart(3)}   ${sides.join(', ')}`,
    );
  }
  tour.title('The trial balance of both wallets');
  const totals = sumByAccount(
    journals.flatMap((journal) => journal.body.flatMap(({ entries }) => entries ?? [])),
  );
  for (const [account, sum] of totals) tour.step(`${account.padEnd(16)}${signed(sum).padStart(6)}`);
  const sum = totals.reduce((total, [, amount]) => total + amount, 0);
  if (sum !== 0) throw new Error(`the entries sum to ${sum}, not to 0`);
  tour.step(`${'sum'.padEnd(16)}${'0'.padStart(6)}`);
}

function expectStatus(answer: Answer<unknown>, status: number, what: string): void {
  if (answer.status === status) return;
  throw new Error(`${what}: expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
}

/** Sums entries by account; the wallet's id is left out, so that a transcript reads the same every time. */
function sumByAccount(entries: Entry[]): [string, number][] {
  const sums = new Map<string, number>();
  for (const { account, amount } of entries) {
    const name = account.replace(/[0-9a-f]{8}-[0-9a-f-]{27}:?/, '');
    sums.set(name, (sums.get(name) ?? 0) + amount);
  }
  return [...sums].toSorted(([left], [right]) => left.localeCompare(right));
}

function signed(amount: number): string {
  return amount > 0 ? `+${amount}` : String(amount).replace('-', '−');
}
