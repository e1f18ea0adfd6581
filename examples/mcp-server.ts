import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { UrlElicitationRequiredError, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { createGate, NotLetThrough, type Caller, type Gate } from './lib/api-gate.ts';
import { Refusal, type ObolClient } from './lib/obol-client.ts';

export type McpServerOptions = {
  /** The address of Obol. */
  issuer: string;
  /**
   * The address of this server, `https://mcp.example.com/mcp`: registered under `resources` of its
   * application.
   */
  resource: string;
  /** The application of this server; `${origin}/allowed` is its redirect address. */
  clientId: string;
  obol: ObolClient;
};

const scope = 'tools:use';
const creditsPerCall = 5;
/** What people are asked to allow; they may lower it. */
const budget = { type: 'credits_spend', allowance: 100, period: 'month', maxPerSpend: creditsPerCall };

/**
 * An MCP server whose tool costs its callers credits. A client that comes without a token is told where Obol
 * is, signs its person in there, and comes again. Who has not allowed this server to spend yet, or has used
 * up what they allowed, is shown the page where they can: the tool answers with the link, and works at the
 * next try.
 */
export function createMcpServer(options: McpServerOptions): Server {
  const gate = createGate({ ...options, scopes: [scope] });
  return createServer((request, response) => {
    answer(options, gate, request, response).catch((error: unknown) => {
      if (error instanceof NotLetThrough)
        response.writeHead(error.status, { 'www-authenticate': error.challenge }).end();
      else if (!response.headersSent) response.writeHead(500).end();
    });
  });
}

async function answer(
  options: McpServerOptions,
  gate: Gate,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (gate.answersMetadata(request, response)) return;
  const { origin, pathname } = new URL(options.resource);
  const path = new URL(request.url ?? '/', origin).pathname;
  if (path === '/allow') response.writeHead(302, { location: allowanceUrl(options) }).end();
  else if (path === '/allowed') response.end('Thank you. Go back and try again.');
  else if (path === pathname) await serveTools(options, await gate.admit(request, scope), request, response);
  else response.writeHead(404).end();
}

/** Each request stands alone: who asks is in its token, what they have left is in Obol. */
async function serveTools(
  options: McpServerOptions,
  caller: Caller,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const server = new McpServer({ name: 'word counter', version: '1.0.0' });
  const description = `Counts the words of a text. Costs ${creditsPerCall} credits.`;
  server.registerTool('count_words', { description, inputSchema: { text: z.string() } }, ({ text }) =>
    charged(options, caller, async () => String(text.split(/\s+/).filter(Boolean).length)),
  );
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  response.on('close', () => void server.close());
  await server.connect(transport);
  await transport.handleRequest(request, response);
}

/** Sets the price aside, does the work, then takes the price; work that fails costs nothing. */
async function charged(
  options: McpServerOptions,
  { userId }: Caller,
  work: () => Promise<string>,
): Promise<CallToolResult> {
  const { obol } = options;
  const asked = { onBehalfOf: userId, amount: creditsPerCall, description: 'count_words' };
  const hold = await obol.placeHold({ ...asked, expiresInSeconds: 60 }).catch((error: unknown) => {
    throw linkFor(options, error);
  });
  try {
    const text = await work();
    await obol.captureHold(hold.id, { amount: creditsPerCall });
    return { content: [{ type: 'text', text }] };
  } catch (error) {
    await obol.voidHold(hold.id);
    throw error;
  }
}

/** The page on which the person can do something about a refusal. */
function linkFor({ resource }: McpServerOptions, error: unknown): unknown {
  if (!(error instanceof Refusal)) return error;
  const { code, problem } = error;
  if (code !== 'mandate.required' && code !== 'mandate.exceeded') return error;
  const url = code === 'mandate.required' ? `${new URL(resource).origin}/allow` : String(problem['raiseUrl']);
  const message = code === 'mandate.required' ? 'Let this server spend credits' : 'Raise what it may spend';
  return new UrlElicitationRequiredError([{ mode: 'url', message, url, elicitationId: randomUUID() }]);
}

/**
 * Where Obol asks the person for the budget. What they agree to holds from then on, so the code that comes
 * back is not needed.
 */
function allowanceUrl({ issuer, clientId, resource }: McpServerOptions): string {
  const url = new URL('/authorize', issuer);
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: `${new URL(resource).origin}/allowed`,
    response_type: 'code',
    scope: 'openid credits:spend',
    prompt: 'consent',
    authorization_details: JSON.stringify([budget]),
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }).toString();
  return url.href;
}
