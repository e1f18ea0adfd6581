import type { Ctx } from '../../../ctx.ts';
import { sendChangeEmailMail } from '../email-change/send-change-email-mail.ts';
import { sendMagicLinkMail } from '../magic-links/send-magic-link-mail.ts';
import { sendNoticeMail } from './send-notice-mail.ts';
import { sendResetMail } from './send-reset-mail.ts';
import { sendSecurityMail } from './send-security-mail.ts';
import { sendVerificationMail } from './send-verification-mail.ts';

/** Names who does the mail jobs of this domain. */
export function handleRecoveryJobs(ctx: Ctx): void {
  ctx.jobs.handle('send-verification-mail', (data) => sendVerificationMail(ctx, data));
  ctx.jobs.handle('send-reset-mail', (data) => sendResetMail(ctx, data));
  ctx.jobs.handle('send-magic-link-mail', (data) => sendMagicLinkMail(ctx, data));
  ctx.jobs.handle('send-change-email-mail', (data) => sendChangeEmailMail(ctx, data));
  ctx.jobs.handle('send-notice-mail', (data) => sendNoticeMail(ctx, data));
  ctx.jobs.handle('send-security-mail', (data) => sendSecurityMail(ctx, data));
}
