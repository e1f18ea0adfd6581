import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { createGate, NotLetThrough, type Gate } from './lib/api-gate.ts';

/**
 * An API of notes that people open with access tokens of Obol: `GET /notes` with the scope `notes:read`,
 * `POST /notes {text}` with `notes:write`. Everybody sees their own notes. Refusals say what is missing, and
 * where to get it.
 */
export function createNotesApi({ issuer, resource }: { issuer: string; resource: string }): Server {
  const gate = createGate({ issuer, resource, scopes: ['notes:read', 'notes:write'] });
  const notes = new Map<string, string[]>();
  return createServer((request, response) => {
    answer(gate, notes, request, response).catch((error: unknown) => {
      if (error instanceof NotLetThrough)
        response.writeHead(error.status, { 'www-authenticate': error.challenge }).end();
      else response.writeHead(500).end();
    });
  });
}

async function answer(
  gate: Gate,
  notes: Map<string, string[]>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (gate.answersMetadata(request, response)) return;
  if (request.url !== '/notes') return void response.writeHead(404).end();
  const isWrite = request.method === 'POST';
  const { userId } = await gate.admit(request, isWrite ? 'notes:write' : 'notes:read');
  const own = notes.get(userId) ?? [];
  if (isWrite) {
    const { text } = (await json(request)) as { text: string };
    own.push(text);
    notes.set(userId, own);
  }
  response.writeHead(isWrite ? 201 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ notes: own }));
}
