import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { Refusal, type Hold, type ObolClient } from './lib/obol-client.ts';

/** A model that answers token by token, and stops when told to. */
export type Model = (prompt: string, signal: AbortSignal) => AsyncIterable<string>;

export type AnswerServerOptions = {
  obol: ObolClient;
  model: Model;
  /** How many tokens to hold credits for at a time; a token costs one credit. */
  tokensPerHold?: number;
  /** Hears what each answer has cost, once it is settled. */
  onSettled?: (hold: Hold) => void;
};

/**
 * An app's own server: `POST /answer {userId, prompt}` streams what a model says, and charges the person for
 * exactly the tokens that were sent. Credits for some tokens are set aside before the first one, and more
 * when these are used up; at the end the true cost is captured and the rest goes back. When the reader goes
 * away, the model stops, and what was sent until then is charged. When credits or the allowance run out, the
 * answer ends there.
 */
export function createAnswerServer(options: AnswerServerOptions): Server {
  return createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(error instanceof Refusal ? error.status : 500);
      response.end(error instanceof Refusal ? JSON.stringify(error.problem) : undefined);
    });
  });
}

async function answer(
  { obol, model, tokensPerHold = 20, onSettled }: AnswerServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { userId, prompt } = (await json(request)) as { userId: string; prompt: string };
  // Should this process die, the hold ends by itself, and nothing is lost but a minute.
  const life = { expiresInSeconds: 60 };
  const hold = await obol.placeHold({
    onBehalfOf: userId,
    amount: tokensPerHold,
    description: 'Chat answer',
    ...life,
  });
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  let tokens = 0;
  let held = hold.amount;
  try {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    for await (const token of model(prompt, gone.signal)) {
      if (gone.signal.aborted) break;
      if (tokens === held) {
        const more = await obol.extendHold(hold.id, { amount: tokensPerHold, ...life }).catch(endOfCredits);
        if (!more) break;
        held = more.amount;
      }
      tokens++;
      if (!response.write(token)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
  } finally {
    const settled = tokens === 0 ? obol.voidHold(hold.id) : obol.captureHold(hold.id, settlement(tokens));
    onSettled?.(await settled);
  }
  response.end(tokens === held ? '\n[There are no more credits for this answer.]' : undefined);
}

const settlement = (tokens: number) => ({ amount: tokens, metadata: { model: 'parrot', tokens } });

/** Neither the wallet nor the mandate has more: the answer ends. Anything else is a failure. */
function endOfCredits(error: unknown): undefined {
  if (error instanceof Refusal && (error.status === 402 || error.status === 403)) return undefined;
  throw error;
}
