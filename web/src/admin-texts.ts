import type { PeopleShown, PersonAction, PersonDone, PersonState } from './admin-pages.ts';
import { countOf, creditsOf } from './format.ts';

type Words = { title: string; detail: string };

/** What people read who are not administrators, or who only look. */
export const adminProblems = {
  'auth.admin_required': {
    title: 'This page is for administrators',
    detail: 'Ask one of them, if you should be one.',
  },
  'auth.impersonation_forbidden': {
    title: 'You were only looking',
    detail:
      'While you look at the account of somebody else, nothing can be changed, and some pages stay closed.',
  },
};

/** What the service refuses on a person's page. */
const problems: Record<string, Words | undefined> = {
  'users.last_admin': {
    title: 'This is the last administrator',
    detail: 'Make somebody else an administrator first.',
  },
  'users.impersonation_refused': {
    title: 'This account cannot be looked at',
    detail: 'Only active accounts of people who are not administrators can be looked at.',
  },
  'users.reset_refused': {
    title: 'These second factors stay',
    detail: 'Your own are removed by another administrator; of an account that is switched off none are.',
  },
  'credits.too_many': { title: 'That is too much', detail: 'No wallet holds so many credits.' },
  'credits.wallet_inactive': { title: 'This wallet takes no part', detail: 'It is frozen or closed.' },
  'idempotency.mismatch': {
    title: 'This form was booked before',
    detail: 'Something else was booked with it. Look at what the account has, and fill it in again.',
  },
};

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

const actions: Record<PersonAction, { title: string; lead: string; submit: string }> = {
  look: {
    title: 'See what they see',
    lead: 'For a quarter of an hour this browser shows their pages, and changes nothing. It stands in their history, with your reason.',
    submit: 'Look at the account',
  },
  credits: {
    title: 'Give or take credits',
    lead: 'They read the reason, too. What is taken and not there becomes debt.',
    submit: 'Book it',
  },
  role: {
    title: 'Change the role',
    lead: 'Administrators see and change every account. It counts at once.',
    submit: 'Change the role',
  },
  'sign-out': {
    title: 'Sign them out',
    lead: 'On every device. They can sign in again.',
    submit: 'Sign out everywhere',
  },
  'reset-factors': {
    title: 'Remove second factors',
    lead: 'For who lost codes, passkeys and backup codes. They are signed out everywhere, and told by mail. Be sure by other means that it is them who ask.',
    submit: 'Remove all second factors',
  },
  deactivate: {
    title: 'Switch the account off',
    lead: 'Devices, apps and keys are signed out for good. What the account owns stays.',
    submit: 'Switch it off',
  },
  ban: {
    title: 'Ban',
    lead: 'Switches the account off, for a time or for good.',
    submit: 'Ban this person',
  },
  reactivate: {
    title: 'Switch the account on again',
    lead: 'Lifts a ban, too. They sign in anew; what ended with the account stays ended.',
    submit: 'Switch it on',
  },
};

const dones: Record<PersonDone, string> = {
  credits: 'It is booked.',
  role: 'The role is changed.',
  'sign-out': 'They are signed out everywhere.',
  'reset-factors': 'The second factors are removed.',
  deactivate: 'The account is switched off.',
  ban: 'This person is banned.',
  reactivate: 'The account is switched on again.',
  'looking-ended': 'You see your own pages again.',
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
    none: 'Nobody matches.',
    count: (total: number, isEstimate: boolean) =>
      `${isEstimate ? 'About ' : ''}${countOf(total)} ${total === 1 ? 'person' : 'people'}.`,
    administrator: 'Administrator',
    credits: creditsOf,
    since: (day: string) => `since ${day}`,
    pages: 'More people',
  },

  person: {
    states,
    facts: {
      unconfirmed: 'Address not confirmed',
      since: (day: string) => `Registered on ${day}`,
      credits: (units: number, scale: number) => `Has ${creditsOf(units, scale)}`,
      debt: (units: number, scale: number) => `Owes ${creditsOf(units, scale)}`,
      devices: (count: number) => {
        if (count === 0) return 'Signed in nowhere';
        return count === 1 ? 'Signed in on one device' : `Signed in on ${countOf(count)} devices`;
      },
      ban: (reason: string, until: string | null) =>
        until === null ? `Banned for good: ${reason}` : `Banned until ${until}: ${reason}`,
    },
    id: 'Id',
    actions,
    dones,
    problems,
    makeAdministrator: 'Make them an administrator',
    makeUser: 'Take the role of administrator away',
    fields: {
      reason: 'Reason',
      reasonNote: 'optional',
      reasonHint: 'It stands in the audit trail.',
      amount: 'Credits',
      amountHint: 'Below 0 takes them away.',
      until: 'Until',
      untilHint: 'The ban ends when that day begins (UTC). Leave it empty to ban for good.',
    },
    events: 'What happened to the account',
    noEvents: 'Nothing yet.',
    all: 'All people',
  },

  looking: {
    heading: 'Somebody else’s account',
    lead: (email: string, until: string) =>
      `You see the account of ${email} as they do, until ${until}. Nothing can be changed.`,
    besides: (email: string) => `This page is your own. You still look at the account of ${email}.`,
    title: (title: string, email: string) => `${email}: ${title}`,
    stop: 'Stop looking',
  },
};
