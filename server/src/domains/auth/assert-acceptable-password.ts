import { AppError } from '../../errors.ts';
import { commonPasswords } from './common-passwords.ts';

const passwordCharactersMin = 8;
/** Far more than anybody types; it only bounds the work. */
const passwordCharactersMax = 1024;

/** As it stands in our mails and pages. */
const serviceName = 'obol';

/** What is known of the person, which their password must not simply repeat. */
export type PasswordOwner = {
  email: string;
  username?: string | null | undefined;
  name?: string | null | undefined;
};

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
  if (isMadeOfOwner(lowered, owner))
    return 'must be more than parts of your e-mail address, your name or your username';
  return undefined;
}

/** Written once or several times over: `obol` is too short, `obolobol` is not. */
function repeatsOwner(lowered: string, owner: PasswordOwner): boolean {
  const names = [...namesOf(owner), serviceName];
  return names.some((name) => name !== '' && lowered.replaceAll(name, '') === '');
}

function namesOf({ email, username, name }: PasswordOwner): string[] {
  const [address, ...others] = [email, username ?? '', name ?? ''].map((text) =>
    text.normalize('NFKC').toLowerCase(),
  );
  const written = address ?? '';
  return [written, written.slice(0, written.lastIndexOf('@')), ...others];
}

/** Shorter parts stand in many words. */
const partCharactersMin = 3;
/** What may be added to names without making them harder to guess: `1`, `!`, `07`. */
const trimmings = /^[^\p{Letter}]{0,2}$/u;

/** Whether a password is words of its owner's address and names, and little else: `ada.lovelace1`. */
function isMadeOfOwner(lowered: string, owner: PasswordOwner): boolean {
  const parts = [...namesOf(owner), serviceName]
    .flatMap((name) => name.split(/[^\p{Letter}\p{Number}]+/u))
    .filter((part) => Array.from(part).length >= partCharactersMin)
    .sort((one, other) => other.length - one.length);
  const rest = parts.reduce((text, part) => text.replaceAll(part, ''), lowered);
  return rest !== lowered && trimmings.test(rest);
}
