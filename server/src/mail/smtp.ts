import { createTransport, type Transporter } from 'nodemailer';
import type { Config } from '../config.ts';
import type { Mailer } from './index.ts';

type SmtpSettings = Pick<Config, 'smtpHost' | 'smtpPort' | 'smtpUser' | 'smtpPass' | 'mailFrom'>;

const implicitTlsPort = 465;
const connectMs = 10_000;
const silenceMs = 20_000;
const loopbackHosts = new Set(['localhost', '127.0.0.1', '::1', '[::1]']);

/**
 * What nodemailer is told. TLS from the start on port 465, otherwise STARTTLS as soon as the server offers
 * it, and the certificate must be valid. A password never travels unencrypted, except to this machine itself.
 * @see RFC 8314 §3.3, RFC 3207
 */
export function smtpOptions(settings: SmtpSettings) {
  const { smtpHost, smtpPort, smtpUser, smtpPass } = settings;
  const hasPassword = smtpUser !== '';
  return {
    host: smtpHost,
    port: smtpPort,
    secure: smtpPort === implicitTlsPort,
    requireTLS: hasPassword && !loopbackHosts.has(smtpHost),
    ...(hasPassword ? { auth: { user: smtpUser, pass: smtpPass } } : {}),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** Sends over a few kept connections; rejects when the server refuses a mail, for now or for good. */
export function createSmtpMailer(settings: SmtpSettings): Mailer {
  const transport: Transporter = createTransport({ ...smtpOptions(settings), pool: true, maxConnections: 3 });
  return {
    async send({ to, subject, text, html }) {
      await transport.sendMail({
        from: settings.mailFrom,
        to: { name: '', address: to },
        subject,
        text,
        html,
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    },
    async close() {
      transport.close();
    },
  };
}

/**
 * Whether the SMTP server can be reached and takes our sign-in: nothing if so, else what is wrong. Sends no
 * mail.
 */
export async function verifySmtp(settings: SmtpSettings): Promise<string | undefined> {
  const transport = createTransport(smtpOptions(settings));
  try {
    await transport.verify();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    transport.close();
  }
}
