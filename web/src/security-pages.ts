import type { AccountView, ApplicationView, Form, Problem } from './page.ts';

/**
 * A form that is sent by what a passkey answers, which JavaScript puts into its field `passkey`. `options` is
 * for `navigator.credentials`, with binary values in base64url. @see WebAuthn Level 3 §5.1.8
 */
export type PasskeyCall = { form: Form; options: PasskeyOptions };

export type PasskeyOptions = {
  challenge: string;
  timeout?: number;
  rpId?: string;
  allowCredentials?: { id: string }[];
  userVerification?: string;
};

/** The same, to make a passkey. */
export type PasskeyCreation = {
  form: Form;
  options: {
    challenge: string;
    rp: { id?: string; name: string };
    user: { id: string; name: string; displayName: string };
    pubKeyCredParams: { type: 'public-key'; alg: number }[];
    timeout?: number;
    excludeCredentials?: { id: string }[];
    attestation?: string;
    authenticatorSelection?: { residentKey?: string; userVerification?: string };
  };
};

/** How a second factor, or who one is, can be shown. */
export type ShownMethod = 'password' | 'totp' | 'passkey' | 'backup_code';

/**
 * What comes after the first factor, or before something that needs a recent one. Fields: `code` (of the app,
 * or a backup code) or `password`, as `methods` says; `rememberDevice` (`on`) when `canRemember`.
 */
export type SecondFactorPage = {
  name: 'second-factor';
  form: Form;
  application: ApplicationView | null;
  /** `sign-in`: the second step; `again`: it is still you; `app`: the application asks for it. */
  reason: 'sign-in' | 'again' | 'app';
  methods: ShownMethod[];
  passkey: PasskeyCall | null;
  canRemember: boolean;
  /** Where to begin again, or to leave it. */
  backUrl: string;
  problem: Problem | null;
};

/**
 * The application asks for a second factor of somebody who has none. `setUpUrl` leads to where they can set
 * one up. Fields: `decision` (`continue`, `cancel`).
 */
export type FactorNeededPage = {
  name: 'factor-needed';
  form: Form;
  application: ApplicationView;
  setUpUrl: string;
};

export type PasskeyRow = {
  id: string;
  name: string;
  /** ISO 8601. */
  createdAt: string;
  lastUsedAt: string | null;
  removal: Form;
};

/** What signs the person in besides their password. Every change is a form of its own. */
export type SecurityPage = {
  name: 'security';
  account: AccountView;
  /** How codes from an app are switched on, without fields; null while they are on. */
  setUp: Form | null;
  /** How they are switched off: `password`, `code`. */
  removal: Form | null;
  passkeys: PasskeyRow[];
  /** Field: `name`. */
  addition: PasskeyCreation;
  backupCodesLeft: number;
  /** Makes new codes; null while there is no second factor. */
  renewal: Form | null;
  rememberedCount: number;
  forgetting: Form;
  done: 'totp-removed' | 'passkey-added' | 'passkey-removed' | 'devices-forgotten' | null;
  /** Where to go on, when the person is on the way to an application. */
  continueUrl: string | null;
  problem: Problem | null;
};

/** Field: `code`. */
export type TotpSetUpPage = {
  name: 'totp-set-up';
  form: Form;
  /** The dark squares of the QR code, as the path of an SVG of `size` units. */
  qrCode: { size: number; path: string };
  secret: string;
  cancelUrl: string;
  problem: Problem | null;
};

/** Shown once. */
export type BackupCodesPage = { name: 'backup-codes'; codes: string[]; continueUrl: string };

/** What the link of a mail opens that signs in. No fields. */
export type MagicLinkPage = { name: 'magic-link'; form: Form };

/** What the link of a mail opens that gives an account another address. No fields. */
export type ChangeEmailPage = { name: 'change-email'; form: Form; isDone: boolean };
