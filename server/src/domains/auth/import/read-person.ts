import { Value } from 'typebox/value';
import { emailSchema, nameSchema, pictureSchema, usernameSchema } from '../../users/index.ts';
import { normalizeEmail } from '../../../lib/email.ts';
import {
  readMapped,
  readMappedAccounts,
  readMappedHash,
  type FieldName,
  type Mapping,
  type MappingParameters,
} from './mappings.ts';
import { hasIssuer, type ImportedAccount } from './read-account.ts';
import { readFields, readText, readTime, readTruth, type Fields } from './read-field.ts';

/** A person as `auth.import_people` takes them; see `auth.person_to_import`. */
export type ImportedPerson = {
  external_id: string | null;
  id: string | null;
  email: string;
  email_verified_at: Date | null;
  name: string | null;
  username: string | null;
  picture: string | null;
  role: 'user' | 'admin';
  is_active: boolean;
  auth0_id: string | null;
  created_at: Date;
  hash: string | null;
  accounts: ImportedAccount[];
  credits: number;
  free_credits: number;
};

export type PersonOptions = {
  mapping: Mapping;
  parameters: MappingParameters;
  /** Whether administrators stay administrators. */
  withRoles: boolean;
  /** Decimal places that a credit has here; see CREDITS_SCALE. */
  creditsScale: number;
  now: Date;
};

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Far above what any wallet holds, far below where numbers become inexact. */
const unitsMax = 1_000_000_000_000_000;
const externalIdMax = 255;

/**
 * Reads a person from a record. Without a usable address there is none, and the problem is returned. Anything
 * else that cannot be used is left out, and a note says so: nobody is lost for the sake of a picture, and who
 * is left without a password sets a new one.
 */
export function readPerson(
  record: Record<string, unknown>,
  options: PersonOptions,
): { person: ImportedPerson; notes: string[] } | { problem: string } {
  const fields = readFields(record);
  const field = (name: FieldName) => readMapped(options.mapping, fields, name);
  const address = readText(field('email'));
  if (address === undefined) return { problem: 'email_missing' };
  const email = normalizeEmail(address);
  if (!Value.Check(emailSchema, email)) return { problem: 'email_invalid' };
  const notes: string[] = [];
  const take = <T>(
    reason: string,
    value: unknown,
    read: (value: unknown) => T | undefined,
  ): T | undefined => {
    const result = value === undefined ? undefined : read(value);
    if (value !== undefined && result === undefined) notes.push(reason);
    return result;
  };
  const createdAt = take('created_at_invalid', field('createdAt'), (value) => pastTime(value, options.now));
  const id = readText(field('id'));
  const person = {
    external_id: externalIdOf(fields, options),
    id: id && uuidPattern.test(id) ? id.toLowerCase() : null,
    email,
    email_verified_at:
      take('email_verified_invalid', field('emailVerified'), (value) =>
        confirmedAt(value, createdAt ?? options.now, options.now),
      ) ?? null,
    name: take('name_invalid', field('name'), textBy(nameSchema)) ?? null,
    username: take('username_invalid', field('username'), textBy(usernameSchema)) ?? null,
    picture: take('picture_invalid', field('picture'), textBy(pictureSchema)) ?? null,
    is_active: isActive(field('isActive'), field('isBlocked')),
    auth0_id: take('auth0_id_invalid', field('auth0Id'), shortText) ?? null,
    created_at: createdAt ?? options.now,
    credits: take('credits_invalid', field('credits'), amountBy(options)) ?? 0,
    free_credits: take('free_credits_invalid', field('freeCredits'), amountBy(options)) ?? 0,
  };
  return {
    person: {
      ...person,
      ...credentialsOf(fields, options, notes),
      role: roleOf(field('role'), options, notes),
    },
    notes,
  };
}

function credentialsOf(
  fields: Fields,
  { mapping, parameters }: PersonOptions,
  notes: string[],
): Pick<ImportedPerson, 'hash' | 'accounts'> {
  const converted = readMappedHash(mapping, fields, parameters);
  if (converted && 'problem' in converted) notes.push(converted.problem);
  const read = readMappedAccounts(mapping, fields);
  if (read === undefined) notes.push('accounts_invalid');
  const accounts = read?.filter(hasIssuer) ?? [];
  if (read !== undefined && accounts.length < read.length) notes.push('account_provider_unknown');
  return { hash: converted && 'hash' in converted ? converted.hash : null, accounts };
}

function roleOf(value: unknown, { withRoles }: PersonOptions, notes: string[]): 'user' | 'admin' {
  if (readText(value)?.toLowerCase() !== 'admin') return 'user';
  if (withRoles) return 'admin';
  notes.push('role_left_out');
  return 'user';
}

function externalIdOf(fields: Fields, { mapping }: PersonOptions): string | null {
  const id =
    readMapped(mapping, fields, 'id') ?? readMapped(mapping, fields, 'auth0Id') ?? fields.get('localid');
  const text = readText(id);
  return text !== undefined && text.length <= externalIdMax ? text : null;
}

function textBy(schema: typeof nameSchema): (value: unknown) => string | undefined {
  return (value) => {
    const text = readText(value);
    return text !== undefined && Value.Check(schema, text) ? text : undefined;
  };
}

function shortText(value: unknown): string | undefined {
  const text = readText(value);
  return text !== undefined && text.length <= externalIdMax ? text : undefined;
}

function pastTime(value: unknown, now: Date): Date | undefined {
  const time = readTime(value);
  return time !== undefined && time <= now && time.getUTCFullYear() >= 1970 ? time : undefined;
}

/** A truth or a time; null when the address is not confirmed. */
function confirmedAt(value: unknown, at: Date, now: Date): Date | null | undefined {
  const truth = readTruth(value);
  if (truth !== undefined) return truth ? at : null;
  return pastTime(value, now);
}

/** Nobody who was shut out there comes in here: what cannot be read as a permission is none. */
function isActive(active: unknown, blocked: unknown): boolean {
  if (active !== undefined && readTruth(active) !== true) return false;
  return blocked === undefined || readTruth(blocked) === false;
}

/** Credits that are not negative, as units; what is finer than a unit is cut off. */
function amountBy({ creditsScale }: PersonOptions): (value: unknown) => number | undefined {
  return (value) => {
    const text = typeof value === 'number' ? String(value) : (readText(value) ?? '');
    const [, whole, fraction = ''] = /^(\d{1,15})(?:\.(\d+))?$/.exec(text) ?? [];
    if (whole === undefined) return undefined;
    const units = Number(whole + fraction.slice(0, creditsScale).padEnd(creditsScale, '0'));
    return units <= unitsMax ? units : undefined;
  };
}
