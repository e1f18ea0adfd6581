import { AppError } from '../../../errors.ts';
import type { Clock } from '../../../ctx.ts';
import { fetchBounded } from '../../../lib/fetch-bounded.ts';
import { JsonError, readCount, readList, readObject, readOptionalText, readText, type Json } from './json.ts';

const timeoutMs = 20_000;
const answerBytesMax = 4 * 1024 * 1024;
/** A token is not used in its last minute, so that it does not expire under way. */
const tokenMarginSeconds = 60;

export type PaypalRequest = {
  query?: Record<string, string>;
  body?: unknown;
  /** Derived from a row of ours: PayPal does what it names once, however often it is asked. */
  requestId?: string;
};

/** What PayPal answered to a call that reached it. `issues` are the codes of a refusal. */
export type PaypalAnswer = { status: number; body: Json; issues: string[]; debugId: string | null };

export type PaypalClient = {
  /**
   * Calls PayPal's REST API: the answer, be it a refusal (4xx). Throws `payments.provider_unavailable` when
   * nobody can say what came of the call.
   */
  call(method: 'GET' | 'POST', path: string, request?: PaypalRequest): Promise<PaypalAnswer>;
};

export type PaypalClientOptions = {
  apiBase: string;
  clientId: string;
  clientSecret: string;
  clock: Clock;
  fetch?: typeof fetch | undefined;
};

type Token = { text: string; expiresAt: number };

/**
 * A client of PayPal's REST API. Its access token is asked for once, however many calls wait for it, and
 * kept for as long as it counts. @see https://developer.paypal.com/api/rest/authentication/
 */
export function createPaypalClient(options: PaypalClientOptions): PaypalClient {
  const { clock } = options;
  let token: Token | undefined;
  let asking: Promise<Token> | undefined;
  const currentToken = async (): Promise<Token> => {
    if (token && clock.now().getTime() < token.expiresAt) return token;
    asking ??= askForToken(options).finally(() => (asking = undefined));
    return (token = await asking);
  };
  const call = async (method: string, path: string, request: PaypalRequest): Promise<PaypalAnswer> => {
    const used = await currentToken();
    const answer = await send(options, { method, path, request, authorization: `Bearer ${used.text}` });
    if (answer.status === 401 && token === used) token = undefined;
    return answer;
  };
  return {
    async call(method, path, request = {}) {
      const answer = await call(method, path, request);
      // PayPal may take a token back before its time: asked once more, with another one.
      return answer.status === 401 ? call(method, path, request) : answer;
    },
  };
}

/**
 * The body of a call that went well. Throws `payments.provider_refused`, with what PayPal said as its
 * cause.
 */
export function expectBody(answer: PaypalAnswer): Json {
  if (answer.status < 400) return answer.body;
  throw new AppError('payments.provider_refused', { cause: new Error(describeRefusal(answer)) });
}

/** What PayPal refused and why, for the log: codes only, nothing of the customer. */
function describeRefusal({ status, body, issues, debugId }: PaypalAnswer): string {
  const name = typeof body.name === 'string' ? body.name : '';
  return `PayPal answered ${status} ${[name, ...issues].join(' ')} (debug id ${debugId ?? 'none'})`.slice(
    0,
    500,
  );
}

async function askForToken(options: PaypalClientOptions): Promise<Token> {
  const { clientId, clientSecret, clock } = options;
  const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  const answer = await send(options, {
    method: 'POST',
    path: '/v1/oauth2/token',
    request: { body: new URLSearchParams({ grant_type: 'client_credentials' }) },
    authorization: `Basic ${credentials}`,
  });
  const body = expectBody(answer);
  return readAnswer(() => {
    const seconds = readCount(body, 'expires_in') - tokenMarginSeconds;
    return { text: readText(body, 'access_token'), expiresAt: clock.now().getTime() + seconds * 1000 };
  });
}

type Sending = { method: string; path: string; request: PaypalRequest; authorization: string };

async function send(options: PaypalClientOptions, sending: Sending): Promise<PaypalAnswer> {
  const { method, path, request, authorization } = sending;
  const query = request.query ? `?${new URLSearchParams(request.query).toString()}` : '';
  const isForm = request.body instanceof URLSearchParams;
  const headers: Record<string, string> = {
    authorization,
    accept: 'application/json',
    // The whole resource, not only its id and status.
    prefer: 'return=representation',
    ...(request.body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
    ...(request.requestId === undefined ? {} : { 'paypal-request-id': request.requestId }),
  };
  const body = request.body instanceof URLSearchParams ? request.body : JSON.stringify(request.body);
  let response: Response;
  let text: string;
  try {
    const limits = { timeoutMs, bodyBytesMax: answerBytesMax, fetch: options.fetch };
    response = await fetchBounded(`${options.apiBase}${path}${query}`, {
      method,
      headers,
      body: body ?? null,
      ...limits,
    });
    text = await response.text();
  } catch (cause) {
    throw new AppError('payments.provider_unavailable', { cause });
  }
  const { status } = response;
  const isAnswer = (status >= 200 && status < 300) || (status >= 400 && status < 500 && status !== 429);
  const answer = isAnswer ? await toAnswer(response, text) : undefined;
  // Somebody else's call with the same key is under way: what comes of it is not known yet.
  if (answer === undefined || answer.issues.includes('PREVIOUS_REQUEST_IN_PROGRESS'))
    throw new AppError('payments.provider_unavailable', { cause: new Error(`PayPal answered ${status}`) });
  return answer;
}

function toAnswer(response: Response, text: string): Promise<PaypalAnswer> {
  const debugId = response.headers.get('paypal-debug-id');
  return readAnswer(() => {
    const body = text === '' ? {} : readObject(parse(text), 'the answer');
    const issues = response.ok
      ? []
      : readList(body, 'details').map((detail) => readOptionalText(detail, 'issue'));
    return { status: response.status, body, issues: issues.filter((issue) => issue !== null), debugId };
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new JsonError('the answer is no JSON', { cause });
  }
}

/**
 * Reads what PayPal answered. An answer that cannot be read says nothing: `payments.provider_unavailable`.
 */
export async function readAnswer<Value>(read: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (cause) {
    if (!(cause instanceof JsonError)) throw cause;
    throw new AppError('payments.provider_unavailable', { cause });
  }
}
