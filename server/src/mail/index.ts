/** One mail, ready to be sent. */
export type Mail = { to: string; subject: string; text: string; html: string };

/** Delivers mails: by SMTP, or into the development mailbox. Rejects when the mail was not taken. */
export type Mailer = { send(mail: Mail): Promise<void>; close(): Promise<void> };
