import { AppError } from '../../errors.ts';
import { commonPasswords } from './common-passwords.ts';

const passwordCharactersMin = 8;
/** Far more than anybody types; it only bounds the work. */
const passwordCharactersMax = 1024;

/** As it stands in our mails and pages. */
const serviceName = 'obol';

/** What is known of the person, which their password must not simply repeat. */
export type PasswordOwner = { email: string; username?: string | null | undefined };

/**
 * Refuses a new password that is too short or too easily guessed, and says why. No rules about kinds of
 * characters. `path` is the field it came in. Throws `auth.password_unacceptable`.
 * @see NIST SP 800-63B-4 §3.1.1.2
 */
export function assertAcceptablePassword(password: string, owner: PasswordOwner, path: string): void {
  const message = isTooLong(password) ? tooLong : objectionTo(password.normalize('NFKC'), owner);
  if (message) throw new AppError('auth.password_unacceptable', { errors: [{ path, message }] });
}

const tooLong = `must have at most ${passwordCharactersMax} characters`;

/** As typed, too: a sign-in takes no more, and NFKC can make a text shorter. */
function isTooLong(password: string): boolean {
  return [password, password.normalize('NFKC')].some(
    (text) => Array.from(text).length > passwordCharactersMax,
  );
}

function objectionTo(password: string, owner: PasswordOwner): string | undefined {
  if (Array.from(password).length < passwordCharactersMin)
    return `must have at least ${passwordCharactersMin} characters`;
  const lowered = password.toLowerCase();
  if (commonPasswords.has(lowered)) return 'is one of the most common passwords, which are tried first';
  if (repeatsOwner(lowered, owner))
    return 'must not be your e-mail address, your username or the name of this service';
  return undefined;
}

/** Written once or several times over: `obol` is too short, `obolobol` is not. */
function repeatsOwner(lowered: string, { email, username }: PasswordOwner): boolean {
  const normalizedEmail = email.normalize('NFKC').toLowerCase();
  const names = [
    normalizedEmail,
    normalizedEmail.slice(0, normalizedEmail.lastIndexOf('@')),
    username?.normalize('NFKC').toLowerCase() ?? '',
    serviceName,
  ];
  return names.some((name) => name !== '' && lowered.replaceAll(name, '') === '');
}
