import type { Clock } from '../ctx.ts';
import type { Mail } from './index.ts';

/** A mail in the development mailbox, with the links it holds. */
export type MailboxEntry = Mail & { links: string[]; sentAt: Date };

/** Mails of this process that nobody delivered, newest first; the oldest give way. */
export type Mailbox = {
  put(mail: Mail): void;
  /** The mails to an address (letter case ignored), or all of them. */
  list(to?: string): MailboxEntry[];
};

const mailsMax = 200;

export function createMailbox(clock: Clock): Mailbox {
  const entries: MailboxEntry[] = [];
  return {
    put(mail) {
      entries.unshift({ ...mail, links: mail.text.match(/https?:\/\/\S+/g) ?? [], sentAt: clock.now() });
      entries.length = Math.min(entries.length, mailsMax);
    },
    list(to) {
      const wanted = to?.trim().toLowerCase();
      return entries.filter((entry) => !wanted || entry.to.toLowerCase() === wanted);
    },
  };
}
