import type { AccountView, Form, Problem } from './page.ts';

/** The pages for administrators of the service. */
export type AdminPage = PeoplePage | PersonPage;

export type PersonState = 'active' | 'deactivated' | 'banned';

/** Whom the list of people shows. */
export type PeopleShown = 'everybody' | 'administrators' | 'inactive' | 'banned';

export type PersonRow = {
  id: string;
  email: string;
  name: string | null;
  isAdministrator: boolean;
  state: PersonState;
  /** Units, as of when their wallet was last looked at. */
  credits: number;
  /** ISO 8601. */
  createdAt: string;
  url: string;
};

/** Everybody, newest first. Looked for by GET at `searchUrl`, with the fields `search` and `show`. */
export type PeoplePage = {
  name: 'people';
  account: AccountView;
  searchUrl: string;
  search: string;
  show: PeopleShown;
  people: PersonRow[];
  /** How many there are in all; beyond ten thousand, about so many. */
  total: number;
  isEstimate: boolean;
  /** A credit has 10^scale units. */
  scale: number;
  /** The page of who registered before; null on the last one. */
  olderUrl: string | null;
  /** The first page; null on it. */
  newestUrl: string | null;
};

/** What an administrator can do about somebody. Every form has the field `reason`. */
export type PersonAction =
  'look' | 'credits' | 'role' | 'sign-out' | 'reset-factors' | 'deactivate' | 'ban' | 'reactivate';

/** What has just been done. */
export type PersonDone = Exclude<PersonAction, 'look'> | 'looking-ended';

export type PersonView = {
  id: string;
  email: string;
  isEmailVerified: boolean;
  name: string | null;
  isAdministrator: boolean;
  state: PersonState;
  ban: { reason: string; until: string | null } | null;
  /** ISO 8601. */
  createdAt: string;
  /** Units, of which a credit has 10^scale. */
  credits: number;
  debt: number;
  scale: number;
  /** Without administrators who look at the account. */
  devicesCount: number;
};

/** Something that happened to the account; `type` as in `docs/reference/events.md`. */
export type PersonEvent = { id: string; type: string; ipAddress: string | null; createdAt: string };

/**
 * Somebody's account. The form `credits` has the field `amount` besides, in credits, below 0 to take them;
 * `ban` has `until`, a day in UTC, empty for good.
 */
export type PersonPage = {
  name: 'person';
  person: PersonView;
  /** The newest. */
  events: PersonEvent[];
  /** What is possible, in the order in which it is shown. */
  actions: { action: PersonAction; form: Form }[];
  peopleUrl: string;
  done: PersonDone | null;
  /** The form that was refused, with what was typed: the title of the page says so. */
  refused: { action: PersonAction; typed: Record<string, string>; problem: Problem } | null;
};
