import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll } from 'vitest';

export type Received = { headers: IncomingHttpHeaders; body: string; path: string };
export type Reply = (response: ServerResponse) => void;

export type Receiver = {
  url: string;
  /** Everything that arrived, the oldest first. */
  received: Received[];
  /** What it answers from now on; 204 at first. */
  reply: Reply;
};

/** An HTTP server that remembers what is sent to it, as a webhook receiver of an application would. */
export async function startReceiver(): Promise<Receiver> {
  const receiver: Receiver = { url: '', received: [], reply: (response) => response.writeHead(204).end() };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      receiver.received.push({ headers: request.headers, body, path: request.url ?? '' });
      receiver.reply(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return receiver;
}

/**
 * The address of a TCP server that answers whatever is sent to it with these bytes, and then ends the
 * connection, or says no more.
 */
export async function startRawReceiver(bytes: string, then: 'ends' | 'stays'): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => (then === 'ends' ? socket.end(bytes) : socket.write(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

/** A reply with a status and a text. */
export const answer =
  (status: number, text = '', headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(status, headers).end(text);
