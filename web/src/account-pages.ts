import type { AccountView, Form, Problem } from './page.ts';

/** The pages about one's own account. */
export type OwnPage = AccountPage | DevicesPage | KeysPage | KeyMadePage | AppsPage;

/** Where a signed-in person finds all there is. */
export type AccountPage = {
  name: 'account';
  account: AccountView;
  /** People who ask for access to an application that this person administers. */
  waitingCount: number;
  /** Answers with everything held about the person, as a file. */
  exportUrl: string;
};

export type DeviceRow = {
  id: string;
  /** Program and system, or what the device calls itself; null where nothing is known. */
  device: string | null;
  /** Whether an administrator looks at the account through it. */
  isImpersonated: boolean;
  ipAddress: string | null;
  /** ISO 8601. */
  createdAt: string;
  lastUsedAt: string;
  /** Null for the one that the page is shown on. */
  ending: Form | null;
};

/** Where the person is signed in, this browser first. Forms have no fields. */
export type DevicesPage = {
  name: 'devices';
  account: AccountView;
  devices: DeviceRow[];
  /** Signs out all but this one; null when there are no others. */
  endingOthers: Form | null;
  done: 'device-ended' | 'others-ended' | null;
};

export type KeyRow = {
  id: string;
  name: string;
  /** How it begins and ends. */
  start: string;
  lastFour: string;
  scopes: string[];
  /** ISO 8601. */
  createdAt: string;
  lastUsedAt: string | null;
  expiresAt: string | null;
  isExpired: boolean;
  removal: Form;
};

/** What the form for a new key holds. */
export type KeyFields = {
  keyName: string;
  /** `never`, or for how many days. */
  lifetime: KeyLifetime;
  /** What is ticked: the field `scope:<name>` is `on`. */
  scopes: string[];
};

export type KeyLifetime = 'never' | '30' | '90' | '365';

/** The keys with which programs act for the person. */
export type KeysPage = {
  name: 'keys';
  account: AccountView;
  keys: KeyRow[];
  /** Fields: `keyName`, `lifetime`, and `scope:<name>` for each of `scopes`. */
  form: Form;
  /** All that a key may open. */
  scopes: string[];
  typed: KeyFields;
  done: 'key-revoked' | null;
  problem: Problem | null;
};

/** Shown once. */
export type KeyMadePage = { name: 'key-made'; keyName: string; key: string; continueUrl: string };

export type AppRow = {
  id: string;
  appName: string;
  scopes: string[];
  /** Where what it may spend is changed; null where it may spend nothing. */
  budgetUrl: string | null;
  /** ISO 8601. */
  firstUsedAt: string;
  lastUsedAt: string | null;
  removal: Form;
};

/** The applications that the person has let in. Forms have no fields. */
export type AppsPage = {
  name: 'apps';
  account: AccountView;
  /** Newest first. */
  apps: AppRow[];
  /** How many older ones there are. */
  moreCount: number;
  done: 'app-removed' | null;
};
