import {
  convertPasswordHash,
  writeFirebaseHash,
  writeScryptHash,
  type ConvertedHash,
  type FirebaseParameters,
} from '../../../lib/convert-password-hash.ts';
import { readAccounts, type ImportedAccount } from './read-account.ts';
import { readField, readFields, readText, readTruth, type Fields } from './read-field.ts';

/** Where a system keeps what. `names` are the fields that hold it, the first one that is there counts. */
export type Mapping = {
  names: Partial<Record<FieldName, readonly string[]>>;
  hash?(fields: Fields, parameters: MappingParameters): ConvertedHash | undefined;
  /** Undefined when there is something that cannot be read. */
  accounts?(fields: Fields): ImportedAccount[] | undefined;
};

export type FieldName =
  | 'id'
  | 'email'
  | 'emailVerified'
  | 'name'
  | 'username'
  | 'picture'
  | 'role'
  | 'isActive'
  | 'isBlocked'
  | 'auth0Id'
  | 'createdAt'
  | 'passwordHash'
  | 'credits'
  | 'freeCredits';

/** What stands in no record, but goes for the whole file. */
export type MappingParameters = { firebase?: FirebaseParameters };

/** Our own names, in whatever spelling; they work in every mapping that does not say otherwise. */
const ownNames: Record<FieldName, readonly string[]> = {
  id: ['id'],
  email: ['email'],
  emailVerified: ['emailVerified', 'emailVerifiedAt'],
  name: ['name'],
  username: ['username'],
  picture: ['picture'],
  role: ['role'],
  isActive: ['isActive'],
  isBlocked: ['isBlocked', 'deletedAt'],
  auth0Id: ['auth0Id'],
  createdAt: ['createdAt'],
  passwordHash: ['passwordHash'],
  credits: ['credits'],
  freeCredits: ['freeCredits'],
};

export const mappings = {
  obol: { names: {} },
  auth0: {
    names: {
      id: [],
      auth0Id: ['userId', '_id'],
      name: ['name', 'nickname'],
      isBlocked: ['blocked'],
      credits: [],
      freeCredits: [],
      role: [],
    },
    hash: hashOfAuth0,
    accounts: accountsOfAuth0,
  },
  'better-auth': {
    names: { picture: ['image'], isBlocked: ['banned'], credits: [], freeCredits: [] },
    hash: (fields) => hashOf(readField(fields, 'password') ?? credentialOf(fields)),
    accounts: (fields) => {
      const list = readField(fields, 'accounts') ?? [];
      return Array.isArray(list) ? readAccounts(list.filter((entry) => !isCredential(entry))) : undefined;
    },
  },
  mana: {
    names: {
      picture: ['avatarUrl', 'image', 'picture'],
      passwordHash: ['hashedPassword', 'passwordHash', 'password'],
      credits: ['balance'],
      freeCredits: ['freeCreditsRemaining'],
    },
  },
  moxie: { names: { picture: ['picture', 'avatarUrl'], passwordHash: [] } },
  devportal: {
    names: { passwordHash: ['passwordHash', 'password'], credits: [], freeCredits: [], role: [] },
  },
  firebase: {
    names: {
      id: [],
      name: ['displayName'],
      picture: ['photoUrl'],
      isBlocked: ['disabled'],
      role: [],
      credits: [],
      freeCredits: [],
    },
    hash: hashOfFirebase,
    accounts: (fields) => {
      const list = readField(fields, 'providerUserInfo') ?? [];
      return Array.isArray(list) ? readAccounts(list.filter((entry) => !isCredential(entry))) : undefined;
    },
  },
} as const satisfies Record<string, Mapping>;

export type MappingName = keyof typeof mappings;

/** The systems that people can be imported from. */
export const importMappings = Object.keys(mappings) as MappingName[];

/** The field of a record that holds this, by the names of its mapping. */
export function readMapped(mapping: Mapping, fields: Fields, name: FieldName): unknown {
  return readField(fields, ...(mapping.names[name] ?? ownNames[name]));
}

/** The password hash of a record; undefined when there is none. */
export function readMappedHash(
  mapping: Mapping,
  fields: Fields,
  parameters: MappingParameters,
): ConvertedHash | undefined {
  return mapping.hash
    ? mapping.hash(fields, parameters)
    : hashOf(readMapped(mapping, fields, 'passwordHash'));
}

/** The accounts of a record elsewhere; undefined when they cannot be read. */
export function readMappedAccounts(mapping: Mapping, fields: Fields): ImportedAccount[] | undefined {
  return mapping.accounts ? mapping.accounts(fields) : readAccounts(readField(fields, 'accounts'));
}

function hashOf(value: unknown): ConvertedHash | undefined {
  if (value === undefined) return undefined;
  return convertPasswordHash(readText(value) ?? '');
}

/** An export with hashes, as their support makes it, or `custom_password_hash` of their bulk import. */
function hashOfAuth0(fields: Fields): ConvertedHash | undefined {
  const custom = readField(fields, 'customPasswordHash');
  if (custom === undefined) return hashOf(readField(fields, 'passwordHash'));
  const parts = nested(custom);
  const hash = nested(readField(parts, 'hash'));
  if (readText(readField(parts, 'algorithm')) !== 'scrypt') return hashOf(readField(hash, 'value') ?? '');
  return writeScryptHash({
    cost: Number(readField(parts, 'cost') ?? 16_384),
    blockSize: Number(readField(parts, 'blockSize') ?? 8),
    parallelization: Number(readField(parts, 'parallelization') ?? 1),
    salt: bytesOf(nested(readField(parts, 'salt'))),
    key: bytesOf(hash),
  });
}

/** Accounts behind Auth0 sign in there, by the id of the profile, and here at their own provider. */
function accountsOfAuth0(fields: Fields): ImportedAccount[] | undefined {
  const identities = readField(fields, 'identities') ?? [];
  if (!Array.isArray(identities)) return undefined;
  return readAccounts(
    identities.filter((identity) => readTruth(readField(nested(identity), 'isSocial')) === true),
  );
}

function hashOfFirebase(fields: Fields, { firebase }: MappingParameters): ConvertedHash | undefined {
  const [key, salt] = [readText(readField(fields, 'passwordHash')), readText(readField(fields, 'salt'))];
  if (!key) return undefined;
  if (!salt || !firebase) return { problem: 'hash_unknown' };
  return writeFirebaseHash({ key: fromUrlSafe(key), salt: fromUrlSafe(salt) }, firebase);
}

function isCredential(entry: unknown): boolean {
  return /^(credential|password|phone)$/.test(readText(readField(nested(entry), 'providerId')) ?? '');
}

function credentialOf(fields: Fields): unknown {
  const list = readField(fields, 'accounts');
  const credential: unknown = Array.isArray(list) ? list.find(isCredential) : undefined;
  return readField(nested(credential), 'password');
}

function nested(value: unknown): Fields {
  return readFields(typeof value === 'object' && value !== null ? { ...value } : {});
}

function bytesOf(part: Fields): Buffer {
  const encoding = readText(readField(part, 'encoding'));
  const from = encoding === 'hex' || encoding === 'base64' ? encoding : 'utf8';
  return Buffer.from(readText(readField(part, 'value')) ?? '', from);
}

function fromUrlSafe(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/');
}
