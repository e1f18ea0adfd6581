import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Answer } from '../harness/index.ts';
import type { RealApplication, RealPerson } from './people.ts';
import type { Random } from './random.ts';
import { isReplay, type Auth, type Call, type RetryingClient } from './retrying-client.ts';

/** What the answers to a wallet's calls add up to. */
export type Account = {
  /** Credits in and out, by what was answered. */
  available: number;
  /** How many transactions there must be. */
  transactions: number;
  /** By idempotency key, the transaction that was answered; null for a refusal. */
  byKey: Map<string, string | null>;
  /** By hold, how it has ended and what was captured of it. */
  holds: Map<string, { status: string; captured: number }>;
};

export type Parties = { person: RealPerson; app: RealApplication; admin: RealPerson };

const description = 'Crash test';

/** What of an answer does not differ from request to request. */
function contentOf({ status, body }: Answer): unknown {
  return { status, body: { ...body, requestId: undefined } };
}

/** What a worker does its work with. */
type Desk = {
  parties: Parties;
  account: Account;
  random: Random;
  /** Sends a call until it is answered, now and then once more to compare, and notes the answer. */
  call: (path: string, body: Call['body'], auth: Auth, expected: number) => Promise<Answer>;
  /** Notes what the call changed. */
  book: (change: number, transactions?: number) => void;
};

/**
 * Moves credits of a wallet, one call after the other, until `isOver`: spends, holds and their ends, an app's
 * spends under a mandate and their refunds, grants, and spends that must be refused.
 */
export async function work(
  client: RetryingClient,
  parties: Parties,
  account: Account,
  random: Random,
  isOver: () => boolean,
): Promise<void> {
  const desk = openDesk(client, parties, account, random);
  const tasks = [spend, spend, spend, hold, hold, spendAsApp, spendAsApp, grant, spendTooMuch];
  while (!isOver()) await tasks[random(tasks.length)]?.(desk);
}

function openDesk(client: RetryingClient, parties: Parties, account: Account, random: Random): Desk {
  const expectReplay = async (sent: Call, first: Answer): Promise<void> => {
    const again = await client.sendAgain(sent);
    expect(contentOf(again)).toEqual(contentOf(first));
    expect(isReplay(again)).toBe(true);
  };
  return {
    parties,
    account,
    random,
    async call(path, body, auth, expected) {
      const sent: Call = { path, body, auth, key: randomUUID() };
      const answer = await client.send(sent);
      expect({ path, status: answer.status, body: answer.body }).toMatchObject({ status: expected });
      account.byKey.set(sent.key, answer.body.transaction?.id ?? null);
      if (random(8) === 0) await expectReplay(sent, answer);
      return answer;
    },
    book(change, transactions = 1) {
      account.available += change;
      account.transactions += transactions;
    },
  };
}

function own({ parties }: Desk): Auth {
  return { token: parties.person.token };
}

async function spend(desk: Desk): Promise<void> {
  const amount = 1 + desk.random(3);
  await desk.call('use', { amount, appId: 'crash', description }, own(desk), 200);
  desk.book(-amount);
}

async function spendTooMuch(desk: Desk): Promise<void> {
  await desk.call('use', { amount: 1_000_000_000, appId: 'crash', description }, own(desk), 402);
}

async function grant({ call, book, random, parties }: Desk): Promise<void> {
  const amount = 1 + random(20);
  const body = { userId: parties.person.userId, amount, description };
  await call('grants', body, { token: parties.admin.token }, 200);
  book(amount);
}

async function spendAsApp({ call, book, random, parties }: Desk): Promise<void> {
  const { app, person } = parties;
  const asApp: Auth = { headers: app.headers };
  const amount = 2 + random(9);
  const spent = { amount, appId: app.clientId, description, onBehalfOf: person.userId };
  const { body } = await call('use', spent, asApp, 200);
  book(-amount);
  if (random(2) === 0) return;
  const back = 1 + random(amount);
  const refund = { transactionId: body.transaction.id, amount: back, reason: 'Cut off' };
  await call('refunds', refund, asApp, 200);
  book(back);
}

async function hold(desk: Desk): Promise<void> {
  const { call, book, random, account } = desk;
  const amount = 2 + random(9);
  const { body } = await call('holds', { amount, appId: 'crash', description }, own(desk), 201);
  book(0);
  if (random(3) === 0) {
    await call(`holds/${body.id}/void`, {}, own(desk), 200);
    book(0);
    account.holds.set(body.id, { status: 'voided', captured: 0 });
    return;
  }
  const captured = 1 + random(amount);
  await call(`holds/${body.id}/capture`, { amount: captured }, own(desk), 200);
  // What is not captured is given back by a transaction of its own.
  book(-captured, captured < amount ? 2 : 1);
  account.holds.set(body.id, { status: 'captured', captured });
}
