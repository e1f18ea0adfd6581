import type { PeopleShown, PersonAction, PersonState } from './admin-pages.ts';
import { countOf, creditsOf } from './format.ts';

const shown: Record<PeopleShown, string> = {
  everybody: 'Everybody',
  administrators: 'Administrators',
  inactive: 'Switched off',
  banned: 'Banned',
};

const states: Record<PersonState, string> = {
  active: 'Active',
  deactivated: 'Switched off',
  banned: 'Banned',
};

type ActionWords = { title: string; lead: string; submit: string; done: string };

const actions: Record<PersonAction, ActionWords> = {
  look: {
    title: 'See what they see',
    lead: 'For a quarter of an hour this browser shows their pages, and changes nothing. It stands in their history, with your reason.',
    submit: 'Look at the account',
    done: '',
  },
  credits: {
    title: 'Give or take credits',
    lead: 'They read the reason, too. What is taken and not there becomes debt.',
    submit: 'Book it',
    done: 'It is booked.',
  },
  role: {
    title: 'Change the role',
    lead: 'Administrators see and change every account. It counts at once.',
    submit: 'Change the role',
    done: 'The role is changed.',
  },
  'sign-out': {
    title: 'Sign them out',
    lead: 'On every device. They can sign in again.',
    submit: 'Sign out everywhere',
    done: 'They are signed out everywhere.',
  },
  'reset-factors': {
    title: 'Remove second factors',
    lead: 'For who lost codes, passkeys and backup codes. Be sure by other means that it is them who ask.',
    submit: 'Remove all second factors',
    done: 'The second factors are removed.',
  },
  deactivate: {
    title: 'Switch the account off',
    lead: 'Devices, apps and keys are signed out for good. What the account owns stays.',
    submit: 'Switch it off',
    done: 'The account is switched off.',
  },
  ban: {
    title: 'Ban',
    lead: 'Switches the account off, for a time or for good.',
    submit: 'Ban this person',
    done: 'This person is banned.',
  },
  reactivate: {
    title: 'Switch the account on again',
    lead: 'Lifts a ban, too. They sign in anew; what ended with the account stays ended.',
    submit: 'Switch it on',
    done: 'The account is switched on again.',
  },
};

/** What the service refuses an administrator. */
export const adminProblems = {
  'users.last_admin': {
    title: 'This is the last administrator',
    detail: 'Make somebody else an administrator first.',
  },
  'users.impersonation_refused': {
    title: 'This account cannot be looked at',
    detail: 'Only active accounts of people who are no administrators can.',
  },
  'users.reset_refused': {
    title: 'These second factors stay',
    detail: 'Your own are removed by another administrator; of an account that is switched off none are.',
  },
  'credits.too_many': {
    title: 'That is too much',
    detail: 'No wallet holds so many credits.',
  },
  'credits.wallet_inactive': {
    title: 'This wallet takes no part',
    detail: 'It is frozen or closed.',
  },
  'idempotency.mismatch': {
    title: 'This form was booked before',
    detail: 'Something else was booked with it. Look at what the account has, and fill it in again.',
  },
  'auth.admin_required': {
    title: 'This page is for administrators',
    detail: 'Ask one of them, if you should be one.',
  },
  'auth.impersonation_forbidden': {
    title: 'You are only looking',
    detail:
      'While you look at the account of somebody else, nothing can be changed, and some pages stay closed.',
  },
};

/** The words of the pages for administrators, and of the banner while they look at somebody's account. */
export const adminTexts = {
  people: {
    title: 'People',
    lead: 'Everybody with an account here, newest first.',
    search: 'Search',
    searchHint: 'The beginning of an address, a name or a username; @example.com finds a domain.',
    show: 'Show',
    shown,
    find: 'Find',
    none: 'Nobody is like that.',
    count: (total: number, isEstimate: boolean) =>
      `${isEstimate ? 'About ' : ''}${countOf(total)} ${total === 1 ? 'person' : 'people'}.`,
    administrator: 'Administrator',
    since: (day: string) => `since ${day}`,
    pages: 'More people',
  },

  person: {
    states,
    facts: {
      unconfirmed: 'Address not confirmed',
      since: (day: string) => `Registered on ${day}`,
      credits: (units: number, scale: number) => `Has ${creditsOf(units, scale)}`,
      devices: (count: number) =>
        count === 1 ? 'Signed in on one device' : `Signed in on ${countOf(count)} devices`,
      ban: (reason: string, until: string | null) =>
        until === null ? `Banned for good: ${reason}` : `Banned until ${until}: ${reason}`,
    },
    id: 'Id',
    actions,
    makeAdministrator: 'Make them an administrator',
    makeUser: 'Take the role of administrator away',
    fields: {
      reason: 'Reason',
      reasonNote: 'optional',
      reasonHint: 'It stands in the audit trail.',
      amount: 'Credits',
      amountHint: 'Below 0 takes them away.',
      until: 'Until',
      untilHint: 'That day begins in UTC. Empty: for good.',
    },
    events: 'What happened to the account',
    noEvents: 'Nothing yet.',
    all: 'All people',
    lookingEnded: 'You see your own pages again.',
  },

  looking: {
    heading: 'Somebody else’s account',
    lead: (until: string) =>
      `You see this account as its owner does, until ${until}. Nothing can be changed.`,
    stop: 'Stop looking',
  },
};
