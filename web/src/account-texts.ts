/** The words of the pages about one's own account. */
export const accountTexts = {
  ownLinks: {
    heading: 'Your account and signing out',
    account: 'Your account',
    signOut: 'Sign out',
  },

  accountPage: {
    title: 'Your account',
    lead: 'One account for all your apps.',
    links: {
      people: { title: 'People', detail: 'Everybody’s accounts, which you look after as administrator.' },
      credits: { title: 'Your credits', detail: 'What you have, and what you can buy.' },
      apps: { title: 'Connected apps', detail: 'What you allow them, and how much they may spend.' },
      security: { title: 'Sign-in security', detail: 'Codes from an app, passkeys and backup codes.' },
      connected: { title: 'Accounts elsewhere', detail: 'With which you sign in here, too.' },
      devices: { title: 'Devices', detail: 'Where you are signed in.' },
      events: { title: 'Security history', detail: 'What happened to your account.' },
      keys: { title: 'API keys', detail: 'For programs that act for you.' },
      password: { title: 'Change your password', detail: 'A mail brings you a link.' },
      device: { title: 'Connect a device', detail: 'With the code that it shows.' },
      export: { title: 'Your data', detail: 'Everything held about you, as a file.' },
      requests: {
        title: 'Requests for access',
        detail: (count: number) =>
          count === 1 ? 'One person waits for your answer.' : `${count} people wait for your answer.`,
      },
    },
  },

  devices: {
    title: 'Devices',
    lead: 'Where you are signed in. If you do not know one of them, sign it out and change your password.',
    unknown: 'Unknown device',
    impersonated: 'An administrator of this service',
    here: 'this one',
    used: (from: string, to: string, address: string | null) =>
      `Signed in on ${from}, used last on ${to}${address === null ? '' : `, from ${address}`}.`,
    end: 'Sign it out',
    endOthers: 'Sign out all others',
    done: {
      'device-ended': 'The device is signed out.',
      'others-ended': 'All other devices are signed out.',
    },
  },

  keys: {
    title: 'API keys',
    lead: 'A program that has one of your keys acts for you, as far as the key allows.',
    none: 'You have no keys.',
    about: (from: string, used: string | null) =>
      used === null ? `Made on ${from}, not used yet.` : `Made on ${from}, used last on ${used}.`,
    ends: (day: string, isExpired: boolean) => (isExpired ? `It ended on ${day}.` : `It ends on ${day}.`),
    opens: (scopes: string) => `It may: ${scopes}.`,
    revoke: (name: string) => `Revoke ${name}`,
    add: 'Make a key',
    addLead: 'The key is shown once.',
    name: 'Name',
    nameHint: 'What it is for, to recognise it by.',
    scopes: 'It may',
    scopeNames: {
      profile: 'see your name and address',
      'credits:read': 'see your credits and what you spent them on',
      'credits:spend': 'spend your credits, all of them',
    } as Record<string, string | undefined>,
    scopesMissing: 'Choose at least one of these.',
    lifetime: 'It ends',
    lifetimes: { 30: 'in 30 days', 90: 'in 90 days', 365: 'in a year', never: 'never' },
    submit: 'Make the key',
    done: { 'key-revoked': 'The key is revoked.' },
  },

  keyMade: {
    title: 'Keep this key',
    lead: (name: string) => `This is the key “${name}”. It is not shown again.`,
    continue: 'I have kept it',
  },

  apps: {
    title: 'Connected apps',
    lead: 'The apps that you have let in, and what you allow them.',
    none: 'You have let no app in.',
    about: (from: string, used: string | null) =>
      used === null ? `Since ${from}.` : `Since ${from}, used last on ${used}.`,
    budget: 'What it may spend',
    remove: (app: string) => `Remove ${app}`,
    more: (count: number) => (count === 1 ? 'There is one more.' : `There are ${count} more.`),
    done: { 'app-removed': 'The app may do nothing for you any more.' },
  },
};
