import type { Problem } from '../../../../../web/src/page.ts';
import { AppError, isErrorCode } from '../../../errors.ts';

/** Refusals that a person can mend in the form before them. */
const mendable = new Set<string>([
  'auth.invalid_credentials',
  'auth.account_deactivated',
  'auth.password_unacceptable',
  'auth.work_required',
  'auth.work_invalid',
  'auth.code_wrong',
  'auth.code_invalid',
  'auth.passkey_invalid',
  'auth.challenge_invalid',
  'users.email_taken',
  'server.busy',
  'request.invalid',
]);
const isMendable = (code: string) => mendable.has(code) || /^(access\.|auth\.upstream_)/.test(code);

/** What a form shows of a refusal, undefined when sending it again would not help. */
export function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof AppError) || !isMendable(error.code)) return undefined;
  const [first] = error.options.errors ?? [];
  if (!first) return { code: error.code, ...(error.code === 'auth.code_wrong' ? { field: 'code' } : {}) };
  return { code: error.code, field: first.path.split('/').at(-1) ?? '', detail: first.message };
}

/** What a page shows of the code with which a sign-in elsewhere came back; undefined for any other text. */
export function problemNamed(code: string | undefined): Problem | undefined {
  return code !== undefined && isErrorCode(code) && isMendable(code) ? { code } : undefined;
}
