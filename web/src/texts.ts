import { accountTexts } from './account-texts.ts';
import { adminProblems, adminTexts } from './admin-texts.ts';
import { eventTexts } from './event-texts.ts';
import { creditsProblems, creditsTexts } from './credits-texts.ts';
import { countOf, creditsOf, creditUnitsOf, eurosOf } from './format.ts';
import { securityTexts } from './security-texts.ts';
import type { BudgetTerms, BudgetView, CurrentBudget } from './budget-view.ts';

type Words = { title: string; detail: string };

const perPeriod: Record<BudgetView['period'], string> = {
  day: 'a day',
  week: 'a week',
  month: 'a month',
  total: 'in total',
};

const budgetStates: Record<CurrentBudget['status'], string> = {
  active: '',
  paused: '; it is paused',
  expired: '; it has run out',
};

/** What an application may do with a scope, after "it will be able to". */
const scopes = {
  openid: 'Recognise you when you come back',
  profile: 'See your name and picture',
  email: 'See your e-mail address',
  phone: 'See your phone number',
  address: 'See your postal address',
  offline_access: 'Keep its access while you are away',
  roles: 'See your role in it',
  'credits:read': 'See your credits and what you spent them on',
  'credits:spend': 'Spend your credits, within the budget that you set',
};

/** What went wrong, for people; codes that are missing here are said in the words that the server sends. */
const problems = {
  'request.invalid': {
    title: 'Something is missing',
    detail: 'The form was not filled in, or the link is not whole. Go back and try again.',
  },
  'request.not_found': {
    title: 'There is nothing here',
    detail: 'The address may be misspelt, or what stood here is gone.',
  },
  'request.rate_limited': { title: 'Too many tries', detail: 'Wait a minute, then try again.' },
  'request.csrf': {
    title: 'The page was open for too long',
    detail: 'Go back, load it again, and send the form once more. Cookies must be allowed.',
  },
  'auth.invalid_credentials': {
    title: 'That did not match',
    detail: 'The e-mail address or the password is wrong.',
  },
  'auth.account_deactivated': {
    title: 'This account is switched off',
    detail: 'Ask whoever runs this service.',
  },
  'auth.work_required': {
    title: 'Your browser was not done yet',
    detail:
      'It works something out, which keeps robots away. Leave JavaScript on, and send the form once more.',
  },
  'auth.work_invalid': {
    title: 'That took too long',
    detail: 'Your browser has to work something out again. Send the form once more.',
  },
  'auth.password_unacceptable': {
    title: 'Choose another password',
    detail: 'This password would be guessed too easily.',
  },
  'auth.link_invalid': {
    title: 'The link does not work any more',
    detail: 'It has been used, or is older than an hour. Ask for a new one.',
  },
  'auth.upstream_denied': {
    title: 'You turned back',
    detail: 'Nothing has happened. Sign in another way, or try again.',
  },
  'auth.upstream_state': {
    title: 'That took too long',
    detail: 'Or it began in another browser. Begin again.',
  },
  'auth.upstream_refused': {
    title: 'That did not work',
    detail: 'We could not accept the answer of the other service. Try again, or sign in another way.',
  },
  'auth.upstream_unavailable': {
    title: 'The other service does not answer',
    detail: 'Try again in a moment, or sign in another way.',
  },
  'auth.upstream_email_missing': {
    title: 'We need an e-mail address',
    detail: 'The other service gives us none. Allow it to share yours, or register here.',
  },
  'auth.upstream_email_taken': {
    title: 'This address has an account already',
    detail: 'The other service has not confirmed that it is yours. Sign in the way you did before.',
  },
  'auth.provider_unknown': {
    title: 'You cannot sign in with this here',
    detail: 'Choose another way to sign in.',
  },
  'auth.code_invalid': {
    title: 'That took too long',
    detail: 'Sign in again.',
  },
  'users.email_taken': {
    title: 'This address has an account',
    detail: 'Sign in with it, or ask for a link to set a new password.',
  },
  'auth.session_ended': {
    title: 'You have been signed out',
    detail: 'Sign in again to go on.',
  },
  'auth.code_wrong': {
    title: 'That code is not right',
    detail: 'Type the one that your app shows now; each works once. Or use a backup code.',
  },
  'auth.passkey_invalid': {
    title: 'The passkey was not accepted',
    detail: 'Try again, or use another way.',
  },
  'auth.passkey_exists': {
    title: 'This passkey is here already',
    detail: 'Use another device, or go on with the one you have.',
  },
  'auth.challenge_invalid': {
    title: 'That took too long',
    detail: 'Or there were too many tries. Sign in again from the beginning.',
  },
  'auth.password_wrong': { title: 'That is not your password', detail: 'Type it once more.' },
  'auth.factor_active': {
    title: 'You have an app already',
    detail: 'Switch its codes off before you set up another one.',
  },
  'auth.factor_missing': { title: 'There is nothing to switch off', detail: 'Load the page again.' },
  'api_keys.too_many': { title: 'You have too many keys', detail: 'Revoke one that you do not need.' },
  'auth.email_unverified': {
    title: 'An address is not confirmed',
    detail:
      'Confirm your address here, by the mail that we have sent, and at the other service; then connect them.',
  },
  'auth.account_linked_elsewhere': {
    title: 'Somebody else signs in here with that account',
    detail: 'If it is you, with another address: sign in with it, and disconnect it there first.',
  },
  'auth.last_way_in': {
    title: 'This is your only way to sign in',
    detail: 'Set a password first: on the sign-in page, ask for a link to set one.',
  },
  'access.required': {
    title: 'You have no access',
    detail: 'Those who run this app have not let you in, or no longer do.',
  },
  'access.request_open': {
    title: 'You have asked already',
    detail: 'Those who run the app have been told. You get a mail when they answer.',
  },
  'access.not_needed': {
    title: 'Nobody needs to ask',
    detail: 'The app is open to everybody; sign in to it.',
  },
  'access.already_member': { title: 'You have access', detail: 'Go back to the app and sign in.' },
  'access.request_decided': {
    title: 'Somebody was faster',
    detail: 'This request has been answered, or taken back.',
  },
  'access.own_request': {
    title: 'This one is yours',
    detail: 'Nobody decides on what they asked for themselves; another administrator can.',
  },
  'applications.role_unknown': {
    title: 'The app has other roles now',
    detail: 'Choose one of those that it has.',
  },
  ...creditsProblems,
  ...adminProblems,
  'device.code_missing': { title: 'No code yet', detail: 'Type the code that your device shows.' },
  'device.code_expired': {
    title: 'This code is too old',
    detail: 'Codes last a few minutes; your device can show you a new one.',
  },
  'device.code_used': {
    title: 'This code has been used',
    detail: 'If that was not you, do not go on. Your device can show you a new one.',
  },
  'device.code_unknown': {
    title: 'That code does not work',
    detail: 'Check it, letter by letter. Codes last a few minutes; your device can show you a new one.',
  },
  'server.internal': {
    title: 'Something went wrong on our side',
    detail: 'Try again in a moment. If it stays, send the number below to whoever runs this service.',
  },
  'server.busy': { title: 'Very busy just now', detail: 'Wait a moment, then try again.' },
  'server.unavailable': { title: 'Not ready just now', detail: 'Wait a moment, then try again.' },
  invalid_request: {
    title: 'This link does not work',
    detail: 'The app sent you here with a request that is not whole. Go back to it and try again.',
  },
  invalid_client: {
    title: 'We do not know this app',
    detail: 'The app that sent you here is not registered. Go back to it and try again.',
  },
  invalid_redirect_uri: {
    title: 'We do not know the way back',
    detail: 'The app wants you sent to an address that is not registered for it, so you stay here.',
  },
  invalid_scope: {
    title: 'The app asks for too much',
    detail: 'It wants something that it may not have. Go back to it and tell the people who made it.',
  },
  unauthorized_client: {
    title: 'This app may not do that',
    detail: 'It is not registered for this way of signing in. Go back to it and try again.',
  },
  server_error: {
    title: 'Something went wrong on our side',
    detail: 'Go back to the app and try again in a moment.',
  },
  temporarily_unavailable: { title: 'Very busy just now', detail: 'Wait a moment, then try again.' },
  access_denied: { title: 'Not allowed', detail: 'You can go back to the app.' },
};

type Problems = Record<string, Words | undefined> & Record<'server.internal' | 'request.invalid', Words>;

/** Every word on every page. */
export const texts = {
  service: 'Obol',
  refusedTitle: (title: string) => `Not yet: ${title}`,

  signIn: {
    title: (app: string | null) => (app === null ? 'Sign in' : `Sign in to ${app}`),
    titleAgain: 'Show that it is you',
    lead: (app: string | null) =>
      app === null ? 'One account for all your apps.' : `${app} uses your Obol account.`,
    leadAgain: 'You are signed in. For this step, type your password once more.',
    submit: 'Sign in',
    forgot: 'Forgot your password?',
    noAccount: 'New here?',
    register: 'Create an account',
    cancel: (app: string | null) => (app === null ? 'Cancel' : `Back to ${app}`),
  },

  providers: {
    heading: 'Other ways to sign in',
    or: 'or',
    goOn: (label: string) => `Continue with ${label}`,
  },

  register: {
    title: (app: string | null) => (app === null ? 'Create your account' : `Create an account to use ${app}`),
    lead: 'One account, and one wallet of credits, for all your apps.',
    name: 'Name',
    optional: 'optional',
    submit: 'Create account',
    needsScript:
      'To create an account, switch JavaScript on: your browser has to work something out, which keeps robots away.',
    haveAccount: 'Have an account already?',
    signIn: 'Sign in',
  },

  fields: {
    email: 'E-mail address',
    password: 'Password',
    newPassword: 'New password',
    showPassword: 'Show password',
    hidePassword: 'Hide password',
    passwordHint: 'At least 8 characters. A few words that only you would put together are good.',
    passwordMissing: (count: number) => (count === 1 ? 'One character to go.' : `${count} characters to go.`),
    passwordLong: 'Long enough.',
    passwordIsEmail: 'Your e-mail address would be guessed first. Choose something else.',
  },

  application: {
    unverified: (app: string) => `Nobody has checked ${app} yet`,
    unverifiedDetail: (host: string | null) =>
      host === null ? 'Go on only if you know who made it.' : `Go on only if you know it and trust ${host}.`,
    policy: 'Privacy',
    terms: 'Terms',
    home: 'Website',
    links: (app: string) => `About ${app}`,
    /** Said to screen readers in place of the two marks. */
    marks: (app: string | null) => (app === null ? 'Obol' : `${app}, by way of Obol`),
  },

  account: {
    signedInAs: 'Signed in as',
    other: 'Use another account',
  },

  consent: {
    title: (app: string) => `${app} asks for your permission`,
    lead: (app: string) => `If you allow it, ${app} will be able to:`,
    newOnly: 'new',
    budgetOnly: (app: string) => `${app} asks for a budget of your credits.`,
    resources: (names: string[]) => `This is for ${names.join(', ')}.`,
    allow: 'Allow',
    deny: 'Do not allow',
    after: (app: string, host: string | null) =>
      host === null
        ? `You can take this back at any time. You then go on in ${app}.`
        : `You can take this back at any time. You then go back to ${host}.`,
  },

  scopes: scopes as Record<string, string | undefined>,
  unknownScope: (name: string) => `Use “${name}”`,

  budget: {
    heading: 'Budget',
    sentence: ({ allowance, period, maxPerSpend }: Sentence, scale: number) => {
      const most = `It may spend up to ${creditsOf(allowance, scale)} ${perPeriod[period]}`;
      if (maxPerSpend === null) return `${most}.`;
      return `${most}, at most ${creditUnitsOf(maxPerSpend, scale)} at a time.`;
    },
    kinds: ({ kinds }: BudgetTerms) =>
      kinds.length === 2
        ? 'Free credits are used before paid ones.'
        : kinds[0] === 'free'
          ? 'Only free credits, never paid ones.'
          : 'Only paid credits.',
    worth: ({ allowance, creditsPerEur, scale }: Pick<BudgetView, 'allowance' | 'creditsPerEur' | 'scale'>) =>
      `Bought, ${creditsOf(allowance, scale)} cost ${eurosOf(allowance, creditsPerEur)}.`,
    allowance: {
      day: 'A day',
      week: 'A week',
      month: 'A month',
      total: 'In total',
    } satisfies Record<BudgetView['period'], string>,
    maxPerSpend: 'At a time',
    noMaxPerSpend: 'any',
    lower: 'You can lower both, now or later.',
    before: ({ allowance, period, maxPerSpend, kinds, status }: CurrentBudget, scale: number) => {
      const most = maxPerSpend === null ? '' : `, at most ${creditUnitsOf(maxPerSpend, scale)} at a time`;
      const only = kinds.length === 2 ? 'free and paid ones' : `${kinds[0]} ones only`;
      return `Until now: ${creditsOf(allowance, scale)} ${perPeriod[period]}${most}, ${only}${budgetStates[status]}.`;
    },
  },

  budgetPage: {
    title: (app: string) => `A larger budget for ${app}?`,
    titleFirst: (app: string) => `A budget for ${app}?`,
    titleSaved: 'The budget is set',
    lead: (app: string, used: number, { allowance, period, status }: CurrentBudget, scale: number) =>
      `${app} has used ${creditUnitsOf(used, scale)} of the ${creditsOf(allowance, scale)} that you allow it ` +
      `${perPeriod[period]}${budgetStates[status]}.`,
    leadFirst: (app: string) => `${app} may not spend your credits yet.`,
    resets: (day: string) => `It begins anew on ${day}.`,
    raise: 'You decide how much it may be from now on.',
    save: 'Set budget',
    cancel: 'Leave as it is',
    cancelFirst: 'Not now',
    saved: (app: string) => `${app} can go on. You can close this page.`,
  },

  chooseAccount: {
    title: (app: string | null) => (app === null ? 'Go on with this account?' : `Go on to ${app}?`),
    lead: 'You are signed in already.',
    continue: (nameOrEmail: string) => `Go on as ${nameOrEmail}`,
    cancel: (app: string | null) => (app === null ? 'Cancel' : `Back to ${app}`),
  },

  requestAccess: {
    titles: {
      none: (app: string) => `You need access to ${app}`,
      pending: (app: string) => `You have asked for access to ${app}`,
      denied: (app: string) => `Access to ${app} was denied`,
    },
    leads: {
      none: 'It is open to invited people only. You can ask those who run it.',
      pending: 'Those who run it have been told. You get a mail with their answer; then sign in once more.',
      denied: 'You may ask again.',
    },
    reason: 'Their answer:',
    message: 'Message',
    messageHint: 'Who you are and what you need it for.',
    submit: 'Ask for access',
    look: 'Have they answered?',
    cancel: (app: string) => `Back to ${app}`,
  },

  accessRequests: {
    title: (count: number) => (count === 0 ? 'Nobody is waiting' : 'Who may come in?'),
    lead: 'You decide, as an administrator of the app. They get your answer by mail.',
    leadNone: 'Nobody asks for access to an app that you administer.',
    decided: {
      approved: 'They have access now, and a mail tells them.',
      denied: 'You have denied it, and a mail tells them.',
    },
    wants: (app: string, day: string) => `asked for access to ${app} on ${day}.`,
    unconfirmed: 'Nobody has shown yet that this address is theirs.',
    role: 'Role',
    reason: 'Reason',
    reasonNote: 'if you deny; they read it',
    approve: 'Approve',
    deny: 'Deny',
    more: (count: number) => `${countOf(count)} more ${count === 1 ? 'is' : 'are'} waiting after these.`,
  },

  deviceCode: {
    title: 'Connect a device',
    lead: 'Type the code that your device shows.',
    code: 'Code',
    submit: 'Go on',
    warning: 'Type only a code that you asked for yourself, never one that somebody sent you.',
  },

  deviceConfirm: {
    title: (app: string) => `Connect ${app}?`,
    lead: 'Does your device show this code?',
    warning: 'If you did not start this yourself, or the code came from somebody else, stop here.',
    confirm: 'Yes, connect it',
    deny: 'No, stop',
  },

  deviceDone: {
    connected: { title: 'Your device is connected', detail: 'Go on there. You can close this page.' },
    denied: { title: 'Nothing was connected', detail: 'You can close this page.' },
  },

  signOut: {
    title: 'Sign out?',
    lead: (app: string | null) =>
      app === null
        ? 'You will be signed out of all apps in this browser.'
        : `You have left ${app}. Sign out of all other apps in this browser, too?`,
    submit: 'Sign out',
    stay: 'Stay signed in',
  },

  signedOut: {
    title: 'You are signed out',
    detail: 'You can close this page.',
    signIn: 'Sign in again',
    back: (app: string) => `Back to ${app}`,
  },

  forgotPassword: {
    title: 'Forgot your password?',
    titleSent: 'Look into your mailbox',
    lead: 'Type your address. If it has an account, you get a mail with a link.',
    sent: 'If the address has an account, a mail with a link is on its way. The link works for an hour.',
    submit: 'Send the link',
    back: 'Back to sign in',
  },

  resetPassword: {
    title: 'Choose a new password',
    titleDone: 'Your password is set',
    lead: 'You will be signed out on all devices.',
    done: 'You have been signed out on all devices. Sign in with the new password.',
    submit: 'Set the password',
    signIn: 'Sign in',
    again: 'Ask for a new link',
  },

  verifyEmail: {
    title: 'Confirm your address',
    titleDone: 'Your address is confirmed',
    lead: 'Press the button to confirm that this is your address.',
    done: 'Thank you. You can close this page.',
    submit: 'Confirm',
    signIn: 'Sign in',
  },

  ...securityTexts,
  ...creditsTexts,
  ...accountTexts,
  ...adminTexts,
  ...eventTexts,

  notices: {
    'signed-in': { title: 'You are signed in', detail: 'Open one of your apps to go on.' },
    'cookies-needed': {
      title: 'Cookies are off',
      detail: 'To know you from one page to the next, Obol needs a cookie. Allow it, then begin again.',
    },
    'interaction-over': {
      title: 'This page has had its time',
      detail: 'It was used already, or waited too long. Go back to the app and begin again.',
    },
    'close-window': { title: 'All done', detail: 'You can close this page.' },
  } satisfies Record<string, Words>,
  goOn: (app: string | null) => (app === null ? 'Go on' : `Go on to ${app}`),

  problems: problems as Problems,
  fieldProblem: (detail: string) => `This ${detail}.`,
  passwordProblem: (detail: string) => `This password ${detail}.`,
  emailProblem: 'Type a whole e-mail address, such as ada@example.com.',
  error: {
    links: { 'forgot-password': 'Ask for a new link', 'sign-in': 'Sign in' },
    forDevelopers: 'For the people who made the app',
    number: 'Number',
  },

  pending: 'One moment…',
};

type Sentence = Pick<BudgetTerms, 'allowance' | 'period' | 'maxPerSpend'>;
