import type { Problem } from '../../../../../web/src/page.ts';
import { AppError, isErrorCode } from '../../../errors.ts';

/** Refusals that a person can mend in the form before them. */
const mendable =
  /^(auth\.(invalid_credentials|account_deactivated|password_unacceptable|code_invalid|upstream_\w+)|users\.email_taken|server\.busy|request\.invalid|access\.\w+)$/;

/** What a form shows of a refusal, undefined when sending it again would not help. */
export function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof AppError) || !mendable.test(error.code)) return undefined;
  const [first] = error.options.errors ?? [];
  if (!first) return { code: error.code };
  return { code: error.code, field: first.path.split('/').at(-1) ?? '', detail: first.message };
}

/** What a page shows of the code with which a sign-in elsewhere came back; undefined for any other text. */
export function problemNamed(code: string | undefined): Problem | undefined {
  return code !== undefined && isErrorCode(code) && mendable.test(code) ? { code } : undefined;
}
