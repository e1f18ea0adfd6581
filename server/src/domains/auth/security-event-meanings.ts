import type { SecurityEventType } from './record-security-event.ts';

/** What each event of a person's trail says; `docs/reference/events.md` is generated from it. */
export const securityEventMeanings: { readonly [Type in SecurityEventType]: string } = {
  'account.registered': 'The account was made.',
  'account.deactivated': 'The account was deactivated; every session, token and consent ended.',
  'account.reactivated': 'The account is active again.',
  'account.role_changed': 'The role in this service is another; `details` says from what to what.',
  'impersonation.started':
    'An administrator looks at the account, for a quarter of an hour; `details` says why.',
  'login.succeeded': 'Somebody signed in with the password.',
  'login.failed': 'Somebody tried to; `details` says why it failed.',
  'session.shared': 'A sibling app got tokens for a session by the sign-in cookie.',
  'session.ended': 'A device was signed out.',
  'sessions.ended': 'Devices were signed out; `details` says how many, and by whom.',
  'refresh.reused': 'A refresh token was used a second time; its session was ended.',
  'code.reused': 'An authorization code was used a second time; what it had given ended.',
  'password.changed': 'The password was changed by somebody who knew it.',
  'password.reset_requested': 'A link to set a new password was sent.',
  'password.reset': 'The password was set by such a link.',
  'password.upgraded': 'The hash of the password was replaced by a stronger one.',
  'email.verified': 'The address was confirmed.',
  'email.verification_requested': 'The link that confirms the address was sent.',
  'access.requested': 'The person asked for access to an application.',
  'access.withdrawn': 'The person took the request back.',
  'access.approved': 'The request was approved.',
  'access.denied': 'The request was denied.',
  'access.role_changed': 'The role in an application is another.',
  'access.removed': 'The access to an application was taken away.',
  'grant.given': 'The person let an application in.',
  'grant.revoked': 'The person took back what an application may do.',
};
