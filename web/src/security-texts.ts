import { countOf } from './format.ts';

/** The words of the pages about second factors, passkeys and links that sign in. */
export const securityTexts = {
  passkey: {
    use: 'Use a passkey',
    add: 'Add a passkey',
    name: 'Name of the passkey',
    defaultName: 'My passkey',
    unavailable: 'This browser has no passkeys. Use another way.',
    failed: 'That did not work, or was stopped. Try again.',
  },

  secondFactor: {
    titles: {
      'sign-in': () => 'One more step',
      again: () => 'Show that it is still you',
      app: (app: string | null) => `${app ?? 'This app'} asks for a second factor`,
    },
    leads: {
      totp: 'Type the code that your app shows now, or a backup code.',
      passkey: 'Use your passkey, or type a backup code.',
      password: 'For this step, type your password once more.',
    },
    code: 'Code',
    remember: 'Do not ask on this device for 30 days',
    submit: 'Go on',
    back: { 'sign-in': 'Begin again', again: 'Leave it', app: 'Use another account' },
  },

  factorNeeded: {
    title: (app: string) => `${app} asks for a second factor`,
    lead: (app: string) =>
      `A password alone does not open ${app}. Set up an app that makes codes, or a passkey; then go on here.`,
    setUp: 'Set one up',
    continue: 'Go on',
    cancel: (app: string) => `Back to ${app}`,
  },

  security: {
    title: 'Sign-in security',
    lead: 'What it takes to sign in to your account.',
    totp: 'Codes from an app',
    totpOff: 'An app on your phone makes a new code every thirty seconds.',
    totpOn: 'Signing in takes a code of your app, besides the password.',
    setUp: 'Set up an app',
    remove: 'Switch off',
    code: 'Code of the app, or a backup code',
    passkeys: 'Passkeys',
    passkeysLead:
      'A passkey signs you in with a fingerprint, your face or a PIN, and no other site can use it.',
    added: (day: string, used: string | null) =>
      used === null ? `Added on ${day}, not used yet.` : `Added on ${day}, used last on ${used}.`,
    removePasskey: (name: string) => `Remove ${name}`,
    backupCodes: 'Backup codes',
    codesLeft: (count: number) =>
      count === 1 ? 'One code is left.' : `${count === 0 ? 'No' : countOf(count)} codes are left.`,
    renew: 'Make new codes',
    devices: 'Remembered devices',
    devicesCount: (count: number) =>
      count === 0
        ? 'Every device is asked for the second factor.'
        : `${count === 1 ? 'One device is' : `${countOf(count)} devices are`} not asked for the second factor.`,
    forget: 'Ask on every device again',
    done: {
      'totp-removed': 'Codes from an app are switched off.',
      'passkey-added': 'The passkey is added.',
      'passkey-removed': 'The passkey is removed.',
      'devices-forgotten': 'Every device is asked again.',
    },
    continue: 'Go on to the app',
  },

  totpSetUp: {
    title: 'Set up an app for codes',
    lead: 'Scan this with an app that makes codes, then type the code that it shows.',
    qrCode: 'QR code with the secret for your app',
    secret: 'No camera? Type this into the app:',
    code: 'Code',
    submit: 'Switch on',
    cancel: 'Not now',
  },

  backupCodes: {
    title: 'Keep these codes',
    lead: 'If you lose your phone or passkey, each of them signs you in once. They are not shown again.',
    continue: 'I have kept them',
  },

  magicLink: {
    title: 'Sign in',
    lead: 'Press the button to sign in with the link from your mail.',
    submit: 'Sign in',
  },

  changeEmail: {
    title: 'Confirm your new address',
    titleDone: 'Your address is changed',
    lead: 'Press the button to make this the address of your account.',
    done: 'From now on, sign in with the new address.',
    submit: 'Confirm',
  },
};
