import type { Config } from '../config.ts';
import type { Clock } from '../ctx.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { createSmtpMailer } from './smtp.ts';

export type { Mailbox, MailboxEntry } from './mailbox.ts';

/** One mail, ready to be sent. */
export type Mail = { to: string; subject: string; text: string; html: string };

/** Delivers mails: by SMTP, or into the development mailbox. */
export type Mailer = {
  /** Resolves when the server has taken the mail, rejects when it has not. */
  send(mail: Mail): Promise<void>;
  close(): Promise<void>;
  /** Where mails wait to be read when there is no SMTP server; in development only. */
  mailbox?: Mailbox;
};

/**
 * SMTP when it is configured; without it a mailbox in development, and in production a refusal that is
 * logged.
 */
export function createMailer({ config, clock }: { config: Config; clock: Clock }): Mailer {
  if (config.smtpHost !== '') return createSmtpMailer(config);
  if (config.isProduction) {
    return {
      send: () => Promise.reject(new Error('SMTP_HOST is not set: mails wait until it is')),
      close: () => Promise.resolve(),
    };
  }
  const mailbox = createMailbox(clock);
  return {
    send: (mail) => Promise.resolve(mailbox.put(mail)),
    close: () => Promise.resolve(),
    mailbox,
  };
}
