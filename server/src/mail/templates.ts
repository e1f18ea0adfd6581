import { html, type Html } from '../lib/html.ts';
import type { Mail } from './index.ts';

/** Every text that this service sends by mail. Values are escaped where they enter the HTML. */

const productName = 'Obol';

type Letter = {
  subject: string;
  paragraphs: string[];
  button?: { label: string; url: string };
  /** What to do when the mail was not expected. */
  closing: string;
};

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

const noticeTexts = {
  password_changed: 'was changed by somebody who knew the old one. All other devices have been signed out',
  password_reset:
    'was reset through a link in a mail to this address. All devices have been signed out, and all apps',
};

export type Notice = keyof typeof noticeTexts;

/** Tells an address that its account's password is another now. */
export function noticeMail(values: { to: string; notice: Notice; at: Date; resetUrl: string }): Mail {
  const moment = `${values.at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return compose(values.to, {
    subject: `Your ${productName} password was changed`,
    paragraphs: [
      `On ${moment} the password of the ${productName} account ${values.to} ${noticeTexts[values.notice]}.`,
      'If that was you, there is nothing to do.',
    ],
    button: { label: 'It was not me', url: values.resetUrl },
    closing: 'If it was not you, ask for a reset at once; only this address receives the link.',
  });
}

/** The last mail to somebody who asked to be forgotten. */
export function erasureMail(values: { to: string; at: Date }): Mail {
  const moment = `${values.at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return compose(values.to, {
    subject: `Your ${productName} account is erased`,
    paragraphs: [
      `On ${moment} the ${productName} account ${values.to} was erased, as its owner asked.`,
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

function compose(to: string, { subject, paragraphs, button, closing }: Letter): Mail {
  const text = [...paragraphs, ...(button ? [`${button.label}: ${button.url}`] : []), closing].join('\n\n');
  const body = [
    ...paragraphs.map((paragraph) => html`<p>${paragraph}</p>`),
    ...(button ? [html`<p><a href="${button.url}" style="${buttonStyle}">${button.label}</a></p>`] : []),
    html`<p style="color:#667085;font-size:14px">${closing}</p>`,
  ];
  return { to, subject, text: `${text}\n`, html: frame(subject, body).text };
}

const buttonStyle =
  'display:inline-block;padding:12px 20px;border-radius:8px;' +
  'background:#1f4fd8;color:#ffffff;text-decoration:none';

function frame(title: string, body: Html[]): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
      </head>
      <body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#101828;background:#ffffff">
        <div style="max-width:520px;margin:0 auto">
          <p style="font-weight:600">${productName}</p>
          ${body}
        </div>
      </body>
    </html> `;
}
