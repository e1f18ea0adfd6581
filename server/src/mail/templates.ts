import type { Notice } from '../jobs/queues.ts';
import { compose, productName } from './compose.ts';
import type { Mail } from './index.ts';

/** Every text that this service sends by mail. Values are escaped where they enter the HTML. */

/**
 * Asks to confirm an address. The link leads to a page with a button, so that a mail scanner confirms
 * nothing.
 */
export function verificationMail(values: { to: string; url: string; validMinutes: number }): Mail {
  return compose(values.to, {
    subject: `Confirm your address for ${productName}`,
    paragraphs: [
      `Welcome to ${productName}. Please confirm that ${values.to} is your address.`,
      `The link works once, for ${values.validMinutes} minutes.`,
    ],
    button: { label: 'Confirm address', url: values.url },
    closing: 'If you did not create an account, ignore this mail; nothing happens without your confirmation.',
  });
}

/** Lets the owner of an address choose a new password. */
export function resetMail(values: { to: string; url: string; validMinutes: number }): Mail {
  return compose(values.to, {
    subject: `Choose a new ${productName} password`,
    paragraphs: [
      `Somebody, hopefully you, asked to reset the password of the ${productName} account ${values.to}.`,
      `The link works once, for ${values.validMinutes} minutes.`,
      'Choosing a new password signs out all devices, and all apps that you let in.',
    ],
    button: { label: 'Choose a new password', url: values.url },
    closing: 'If it was not you, ignore this mail; your password stays as it is.',
  });
}

/** Signs a person in who can read the mail. */
export function magicLinkMail(values: { to: string; url: string; validMinutes: number }): Mail {
  return compose(values.to, {
    subject: `Sign in to ${productName}`,
    paragraphs: [
      `Somebody, hopefully you, asked for a link that signs in to the ${productName} account ${values.to}.`,
      `The link works once, for ${values.validMinutes} minutes. A second factor is asked for as ever.`,
    ],
    button: { label: 'Sign in', url: values.url },
    closing: 'If it was not you, ignore this mail, and do not pass the link on.',
  });
}

/** Asks whoever reads the mail whether an account may have this address. */
export function changeEmailMail(values: { to: string; url: string; validMinutes: number }): Mail {
  return compose(values.to, {
    subject: `Confirm your new address for ${productName}`,
    paragraphs: [
      `Somebody, hopefully you, wants ${values.to} to be the address of their ${productName} account.`,
      `The link works once, for ${values.validMinutes} minutes.`,
    ],
    button: { label: 'Confirm address', url: values.url },
    closing: 'If it was not you, ignore this mail; nothing happens without your confirmation.',
  });
}

const noticeTexts: Record<Notice, { subject: string; what: (account: string) => string }> = {
  password_changed: {
    subject: `Your ${productName} password was changed`,
    what: (account) =>
      `the password of ${account} was changed by somebody who knew the old one. All other devices have been signed out.`,
  },
  password_reset: {
    subject: `Your ${productName} password was changed`,
    what: (account) =>
      `the password of ${account} was reset through a link in a mail to this address. All devices have been signed out, and all apps.`,
  },
  totp_enabled: {
    subject: `Signing in to ${productName} now takes a code`,
    what: (account) => `codes from an app were switched on for ${account}.`,
  },
  totp_disabled: {
    subject: `Codes for ${productName} were switched off`,
    what: (account) => `codes from an app were switched off for ${account}.`,
  },
  backup_codes_replaced: {
    subject: `Your ${productName} backup codes were replaced`,
    what: (account) => `new backup codes were made for ${account}. The ones before do not work any more.`,
  },
  passkey_added: {
    subject: `A passkey was added to your ${productName} account`,
    what: (account) => `a passkey was added to ${account}. It signs in without the password.`,
  },
  passkey_removed: {
    subject: `A passkey was removed from your ${productName} account`,
    what: (account) => `a passkey was removed from ${account}.`,
  },
  account_linked: {
    subject: `Another way to sign in to your ${productName} account`,
    what: (account) =>
      `an account at another provider was connected to ${account}. It signs in without the password.`,
  },
  account_unlinked: {
    subject: `A way to sign in to your ${productName} account was removed`,
    what: (account) =>
      `an account at another provider was disconnected from ${account}. The devices that it had signed in are signed out.`,
  },
  factors_reset: {
    subject: `Your ${productName} second factors were removed`,
    what: (account) =>
      `whoever runs this service, or an administrator of it, removed all second factors of ${account}. All devices have been signed out.`,
  },
  factor_blocked: {
    subject: `Somebody tries codes for your ${productName} account`,
    what: (account) =>
      `somebody typed several wrong codes for ${account}, after its right password. No more are looked at for fifteen minutes.`,
  },
  email_change_asked: {
    subject: `Your ${productName} account is to get another address`,
    what: (account) => `somebody who knew the password asked to give ${account} another e-mail address.`,
  },
  email_changed: {
    subject: `Your ${productName} account has another address`,
    what: (account) => `${account} was given another e-mail address. Mails now go there.`,
  },
};

/** Tells an address what was done to its account. */
export function noticeMail(values: { to: string; notice: Notice; at: Date; resetUrl: string }): Mail {
  return compose(values.to, {
    subject: noticeTexts[values.notice].subject,
    paragraphs: [
      `On ${momentOf(values.at)} ${noticeTexts[values.notice].what(`the ${productName} account ${values.to}`)}`,
      'If that was you, there is nothing to do.',
    ],
    button: { label: 'It was not me', url: values.resetUrl },
    closing: 'If it was not you, ask for a reset at once; only this address receives the link.',
  });
}

const momentOf = (at: Date) => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const securityTexts = {
  new_device: {
    subject: 'A new sign-in to your',
    fact: 'was signed in to from a device or place that is new to it',
  },
  attacked: {
    subject: 'Somebody tries to sign in to your',
    fact: 'was tried with many wrong passwords. Nobody got in by that, and your devices stay signed in',
  },
  sign_in_after_failures: {
    subject: 'Check a sign-in to your',
    fact: 'was signed in to, after many wrong passwords had been tried',
  },
  sign_in_burst: {
    subject: 'Check the sign-ins to your',
    fact: 'was signed in to from many places within minutes',
  },
  refresh_reused: {
    subject: 'We ended a session of your',
    fact: 'had a session whose token was used twice. Somebody may have copied it, so we signed that device out',
  },
};

/** Tells the owner of an account of something that may have been somebody else. */
export function securityMail(values: {
  to: string;
  kind: keyof typeof securityTexts;
  at: Date;
  device: string | null;
  ipAddress: string | null;
  resetUrl: string;
}): Mail {
  const { to, kind, device, ipAddress } = values;
  const { subject, fact } = securityTexts[kind];
  return compose(to, {
    subject: `${subject} ${productName} account`,
    paragraphs: [
      `On ${momentOf(values.at)} the ${productName} account ${to} ${fact}.`,
      `Device: ${device ?? 'unknown'}`,
      `Address: ${ipAddress ?? 'unknown'}`,
      'If that was you, there is nothing to do.',
    ],
    button: { label: 'It was not me', url: values.resetUrl },
    closing:
      'If it was not you, choose a new password at once: that ends all sessions on all devices. Use it nowhere else.',
  });
}

/** Tells who made an API key that it was made; never the key, nor any of its secret. */
export function apiKeyMail(values: {
  to: string;
  name: string;
  applicationName: string | null;
  at: Date;
  keysUrl: string;
}): Mail {
  const owner = values.applicationName === null ? `the account ${values.to}` : values.applicationName;
  return compose(values.to, {
    subject: `A new ${productName} API key`,
    paragraphs: [
      `On ${momentOf(values.at)} the API key “${values.name}” was made for ${owner}.`,
      'If that was you, there is nothing to do.',
    ],
    button: { label: 'See the API keys', url: values.keysUrl },
    closing: 'If it was not you, revoke the key at once and choose a new password.',
  });
}

/** The last mail to somebody who asked to be forgotten. */
export function erasureMail(values: { to: string; at: Date }): Mail {
  return compose(values.to, {
    subject: `Your ${productName} account is erased`,
    paragraphs: [
      `On ${momentOf(values.at)} the ${productName} account ${values.to} was erased, as its owner asked.`,
      'Every device and app is signed out. What the books have to keep is kept without your name.',
    ],
    closing: 'This is the last mail you get from us; we have forgotten this address.',
  });
}

const endpointReasons = {
  failing: 'Nothing we sent there has arrived for three days, so we stopped.',
  gone: 'It answered that it is gone for good (410), so we stopped.',
};

/** Tells an administrator of an application that events are no longer sent to one of its endpoints. */
export function endpointNoticeMail(values: {
  to: string;
  applicationName: string;
  url: string;
  reason: keyof typeof endpointReasons;
}): Mail {
  return compose(values.to, {
    subject: `${productName} no longer sends events of ${values.applicationName}`,
    paragraphs: [
      `Events of ${values.applicationName} were sent to ${values.url}. ${endpointReasons[values.reason]}`,
      'What happened meanwhile stands in the log of the endpoint for 30 days. Switch it on again, then replay it.',
    ],
    closing: `You receive this mail because you administer ${values.applicationName}.`,
  });
}

/** A person as those read of them who decide; whoever has not confirmed an address may not be its owner. */
export type Asking = { email: string; name: string | null; isEmailVerified: boolean };

/** Tells an administrator of an application who wants to be let in. Their own words are not in the mail. */
export function accessRequestsMail(values: {
  to: string;
  applicationName: string;
  people: { named: Asking[]; count: number };
  decideUrl: string;
}): Mail {
  const { to, applicationName, people, decideUrl } = values;
  const more = people.count - people.named.length;
  const who = people.count === 1 ? 'Somebody asks' : `${people.count} people ask`;
  return compose(to, {
    subject: `${who} for access to ${applicationName}`,
    paragraphs: [
      `Access to ${applicationName} is asked for by:`,
      ...people.named.map(lineOf),
      ...(more > 0 ? [`and ${more} more.`] : []),
      'Nobody gets in unless an administrator approves.',
    ],
    button: { label: 'See the requests', url: decideUrl },
    closing: `You receive this mail because you administer ${applicationName}; there is at most one an hour.`,
  });
}

function lineOf({ email, name, isEmailVerified }: Asking): string {
  return `${name === null ? email : `${name}, ${email}`}${isEmailVerified ? '' : ' (address not confirmed)'}`;
}

/** Tells whoever asked for access to an application that they have it, with a role, or not, perhaps why. */
export function accessDecisionMail(values: {
  to: string;
  applicationName: string;
  clientUri: string | null;
  decision: { role: string } | { reason: string | null };
}): Mail {
  const { to, applicationName, clientUri, decision } = values;
  const closing = `You receive this mail because you asked for access to ${applicationName}.`;
  if ('role' in decision) {
    return compose(to, {
      subject: `You have access to ${applicationName}`,
      paragraphs: [`Your request was approved. Your role in ${applicationName} is: ${decision.role}.`],
      ...(clientUri === null ? {} : { button: { label: `Open ${applicationName}`, url: clientUri } }),
      closing,
    });
  }
  const { reason } = decision;
  return compose(to, {
    subject: `Your request for access to ${applicationName}`,
    paragraphs: [
      `An administrator of ${applicationName} has denied it.`,
      ...(reason === null ? [] : [`The reason: ${reason}`]),
    ],
    closing,
  });
}
