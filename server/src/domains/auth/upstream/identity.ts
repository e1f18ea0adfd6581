import { emailPattern } from '../../users/index.ts';
import { normalizeEmail } from '../../../lib/email.ts';

/** Somebody as another provider knows them. `issuer` and `subject` together are who they are. */
export type Identity = {
  issuer: string;
  subject: string;
  /** Normalised; undefined when the provider gives none that could be an address. */
  email: string | undefined;
  isEmailVerified: boolean;
  name: string | undefined;
  picture: string | undefined;
};

const subjectCharactersMax = 255;
const nameCharactersMax = 200;
const address = new RegExp(emailPattern, 'u');
const pictureAddress = /^https:\/\/[^\s<>"'\\\p{Cc}]{1,2000}$/u;

/**
 * What a provider says of a person in the claims of OpenID Connect, as far as it can be stored. An address
 * counts as verified only where the provider says so. Throws a TypeError without a usable subject.
 * @see OpenID Connect Core 1.0 §5.1, §5.7
 */
export function toIdentity(issuer: string, claims: Record<string, unknown>): Identity {
  const { sub, email, email_verified: verified, name, picture } = claims;
  if (typeof sub !== 'string' || sub === '' || sub.length > subjectCharactersMax || /\p{Cc}/u.test(sub))
    throw new TypeError('the subject is not usable');
  const normalized = typeof email === 'string' ? normalizeEmail(email) : '';
  const isAddress = address.test(normalized) && normalized.length <= 254 && normalized.isWellFormed();
  return {
    issuer,
    subject: sub,
    email: isAddress ? normalized : undefined,
    // Apple says it in a text.
    isEmailVerified: isAddress && (verified === true || verified === 'true'),
    name: toName(name),
    picture: typeof picture === 'string' && pictureAddress.test(picture) ? picture : undefined,
  };
}

function toName(given: unknown): string | undefined {
  if (typeof given !== 'string') return undefined;
  const line = given
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  return line.slice(0, nameCharactersMax).toWellFormed() || undefined;
}
