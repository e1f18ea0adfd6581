import type { ConnectionError, FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { AppError, type ErrorCode } from '../errors.ts';
import { problemDocument } from './problem.ts';
import { requestIdOf } from './request-id.ts';

const codes: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'request.headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'request.too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request.timeout',
};

/**
 * Answers what is not HTTP, or came too slowly, on the bare connection: there is no request yet to reply to.
 */
export function answerClientError(this: FastifyInstance, error: ConnectionError, socket: Socket): void {
  const begun = (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent;
  if (error.code === 'ECONNRESET' || !socket.writable || begun) {
    socket.destroy();
    return;
  }
  const appError = new AppError(codes[error.code] ?? 'request.invalid');
  const requestId = requestIdOf({ headers: {} });
  const body = JSON.stringify(problemDocument(appError, { baseUrl: this.publicUrl, requestId }));
  const headers = {
    ...this.standardHeaders,
    connection: 'close',
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestId,
  };
  this.log.debug({ requestId, err: error }, appError.code);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${appError.status} ${STATUS_CODES[appError.status]}\r\n${lines.join('')}\r\n${body}`);
}
