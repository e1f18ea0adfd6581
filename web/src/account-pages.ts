import type { AccountView, Form, Problem } from './page.ts';

/** The pages about one's own account. */
export type OwnPage =
  AccountPage | DevicesPage | EventsPage | ConnectedPage | ConnectPage | KeysPage | KeyMadePage | AppsPage;

/** Where a signed-in person finds all there is. */
export type AccountPage = {
  name: 'account';
  account: AccountView;
  /** False where an administrator looks at it: what leads to more than reading is left out. */
  isOwn: boolean;
  /** People who ask for access to an application that this person administers. */
  waitingCount: number;
  /** Whether there is an account elsewhere, or could be one. */
  hasElsewhere: boolean;
  /** The list of everybody, for administrators of the service; null for others. */
  peopleUrl: string | null;
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

export type EventRow = {
  id: string;
  /** As in `docs/reference/events.md`. */
  type: string;
  /** What it was about, in the words of whoever did it: a provider, the reason of an administrator. */
  about: string | null;
  /** Program and system; null where nothing is known. */
  device: string | null;
  ipAddress: string | null;
  /** ISO 8601. */
  createdAt: string;
};

/** What happened to the account, newest first. */
export type EventsPage = {
  name: 'events';
  account: AccountView;
  events: EventRow[];
  /** The page of what came before; null on the last one. */
  olderUrl: string | null;
  /** The first page; null on it. */
  newestUrl: string | null;
};

export type ConnectedRow = {
  id: string;
  /** What the provider is called, or its address. */
  provider: string;
  email: string | null;
  /** ISO 8601. */
  createdAt: string;
  lastUsedAt: string;
  removal: Form;
};

/** The accounts at other providers that sign the person in. Forms have no fields. */
export type ConnectedPage = {
  name: 'connected';
  account: AccountView;
  connected: ConnectedRow[];
  /** The providers whose accounts can be connected; a form leads to `ConnectPage`. */
  offers: { provider: string; form: Form }[];
  done: 'connected' | 'disconnected' | null;
  problem: Problem | null;
};

/**
 * The last step before a provider: a link, since a form may not lead away from us. Whoever sends somebody
 * else this link connects nothing.
 */
export type ConnectPage = { name: 'connect'; provider: string; url: string; cancelUrl: string };

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
