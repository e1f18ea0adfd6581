import { randomUUID } from 'node:crypto';

/** What the service answered with when it refused: a problem document (RFC 9457). */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Record<string, unknown>;

  constructor(problem: { status: number; code: string; detail?: string } & Record<string, unknown>) {
    super(`${problem.code}: ${problem.detail ?? ''}`);
    this.status = problem.status;
    this.code = problem.code;
    this.problem = problem;
  }
}

export type Hold = { id: string; amount: number; captured: number; remaining: number; status: string };

export type NewHold = {
  onBehalfOf: string;
  amount: number;
  description: string;
  expiresInSeconds?: number;
  metadata?: Record<string, unknown>;
};

export type ObolClient = {
  placeHold(hold: NewHold): Promise<Hold>;
  extendHold(id: string, extension: { amount?: number; expiresInSeconds?: number }): Promise<Hold>;
  captureHold(id: string, capture: { amount: number; metadata?: Record<string, unknown> }): Promise<Hold>;
  voidHold(id: string): Promise<Hold>;
};

const attemptsMax = 3;

/**
 * The few calls that an application needs to spend for its users, with its own credentials. Each has an
 * idempotency key of its own, so a call whose answer was lost is sent again without being done twice. Throws
 * `Refusal`.
 */
export function createObolClient(options: {
  url: string;
  clientId: string;
  clientSecret: string;
}): ObolClient {
  const { url, clientId, clientSecret } = options;
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  const post = async (path: string, body: object): Promise<Hold> => {
    const request = {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: JSON.stringify(body),
    };
    const response = await sendAgain(`${url}/api/v1/credits/holds${path}`, request);
    const answer = await response.json();
    if (!response.ok) throw new Refusal(answer as ConstructorParameters<typeof Refusal>[0]);
    return answer as Hold;
  };
  return {
    placeHold: (hold) => post('', { ...hold, appId: clientId }),
    extendHold: (id, extension) => post(`/${id}/extend`, extension),
    captureHold: (id, capture) => post(`/${id}/capture`, capture),
    voidHold: (id) => post(`/${id}/void`, {}),
  };
}

/** Sends a request again when no answer came, or the service is busy; the key makes that safe. */
async function sendAgain(address: string, request: RequestInit): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(address, request);
      if (response.status !== 503 || attempt === attemptsMax) return response;
    } catch (error) {
      if (attempt === attemptsMax) throw error;
    }
  }
}
