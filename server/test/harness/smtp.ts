import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll } from 'vitest';

export type SmtpListener = {
  port: number;
  /** Settings of a service that sends through this listener. */
  env: Record<string, string>;
  /** What was taken, oldest first. */
  mails: Email[];
  /** How often delivery was tried. */
  attempts: number;
  /** The answers to the next deliveries, instead of taking them. */
  refusals: { code: number; message: string }[];
  /** Deliveries are answered once this has resolved. */
  gate: Promise<void>;
};

/** A real SMTP server on a free port of this machine, stopped after the last test of the file. */
export async function startSmtpListener(options: SMTPServerOptions = {}): Promise<SmtpListener> {
  const listener: SmtpListener = {
    port: 0,
    env: {},
    mails: [],
    attempts: 0,
    refusals: [],
    gate: Promise.resolve(),
  };
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    async onData(stream, _session, callback) {
      callback(await takeMail(listener, stream));
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  listener.port = (server.server.address() as AddressInfo).port;
  listener.env = {
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(listener.port),
    MAIL_FROM: 'Obol <obol@example.com>',
  };
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return listener;
}

/** Reads a mail; keeps it, or returns why not. */
async function takeMail(listener: SmtpListener, stream: Readable): Promise<Error | undefined> {
  const bytes = await buffer(stream);
  listener.attempts++;
  await listener.gate;
  const refusal = listener.refusals.shift();
  if (refusal) return Object.assign(new Error(refusal.message), { responseCode: refusal.code });
  listener.mails.push(await PostalMime.parse(bytes));
  return undefined;
}
