import { randomUUID } from 'node:crypto';
import { Refusal } from './lib/obol-client.ts';

/** Somebody who is signed in: the access token of their session. */
export type Colleague = { name: string; email: string; userId: string; token: string };

export type TeamReport = {
  teamId: string;
  /** How often each could spend, by name. */
  spends: Record<string, number>;
  /** Who ran into their limit, and how much they had left of it. */
  stopped: { name: string; remaining: number }[];
  /** What the team has in the end. */
  available: number;
};

/**
 * A team and its shared wallet, from the first credit to a raised limit. The owner buys in by a transfer from
 * their own wallet and invites three colleagues, each with a limit a month. They spend 10 credits at a time,
 * all at once, until their limits stop them. The owner raises the limit of the first, who then repeats the
 * very request that was refused, with the same key, and it goes through. Throws `Refusal` when the service
 * answers anything else.
 */
export async function runTeam(
  url: string,
  {
    owner,
    colleagues,
    buyIn,
    limit,
  }: { owner: Colleague; colleagues: Colleague[]; buyIn: number; limit: number },
): Promise<TeamReport> {
  const call = caller(url);
  const { id: teamId } = await call<{ id: string }>(owner, 'POST', 'teams', { name: 'Research' });
  const team = `teams/${teamId}`;
  await call(owner, 'POST', `${team}/transfers`, { amount: buyIn, idempotencyKey: randomUUID() });
  for (const colleague of colleagues) {
    const terms = { email: colleague.email, limit: { allowance: limit, period: 'month' } };
    const { id } = await call<{ id: string }>(owner, 'POST', `${team}/invitations`, terms);
    await call(colleague, 'POST', `invitations/${id}/accept`, {});
  }

  const runs = await Promise.all(colleagues.map((colleague) => spendUntilStopped(call, colleague, teamId)));
  const [first] = runs;
  if (first) {
    const raised = { limit: { allowance: limit + 10, period: 'month' } };
    await call(owner, 'PUT', `${team}/members/${first.colleague.userId}`, raised);
    await call(first.colleague, 'POST', 'use', first.refused);
    first.spends += 1;
  }
  const { available } = await call<{ available: number }>(owner, 'GET', team);
  return {
    teamId,
    spends: Object.fromEntries(runs.map(({ colleague, spends }) => [colleague.name, spends])),
    stopped: runs.map(({ colleague, remaining }) => ({ name: colleague.name, remaining })),
    available,
  };
}

/** Spends from the team until the colleague's limit says no; returns the request that was refused. */
async function spendUntilStopped(call: Call, colleague: Colleague, teamId: string) {
  for (let spends = 0; ; spends++) {
    const spend = {
      amount: 10,
      appId: 'research-assistant',
      description: `Question ${spends + 1} of ${colleague.name}`,
      walletId: teamId,
      idempotencyKey: randomUUID(),
    };
    try {
      await call(colleague, 'POST', 'use', spend);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'mandate.exceeded') throw error;
      return { colleague, spends, refused: spend, remaining: Number(error.problem.remaining) };
    }
  }
}

type Call = <Answer>(by: Colleague, method: string, path: string, body?: object) => Promise<Answer>;

function caller(url: string): Call {
  return async <Answer>(by: Colleague, method: string, path: string, body?: object) => {
    const response = await fetch(`${url}/api/v1/credits/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${by.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Refusal(answer as ConstructorParameters<typeof Refusal>[0]);
    return answer as Answer;
  };
}
