/**
 * Every act that the trail holds, and what it says. `docs/reference/events.md` is generated from this table;
 * what writes an event, in TypeScript or SQL, takes its name from here.
 */
export const auditEventTypes = {
  'user.promoted': 'The command line made a person an administrator.',
  'user.first_admin': 'A person became the first administrator by the link that a start had printed.',
  'user.role_changed': 'An administrator changed the role of a person; `details` says from what to what.',
  'user.updated': 'An administrator changed the profile of a person; `details` names the fields.',
  'user.deactivated':
    'An administrator, or the person, deactivated an account: everything it had open ended. `details` says when a ' +
    'ban would have ended that does not end by itself any more.',
  'user.reactivated': 'An administrator activated an account again, and lifted its ban if it had one.',
  'user.banned': 'An administrator banned a person, for a time or for good.',
  'user.ban_ended':
    'The time of a ban was over; `details` says whether the account is active again, which one that was deactivated ' +
    'besides is not.',
  'user.sessions_ended': 'An administrator signed a person out, on one device or on all.',
  'user.impersonated': 'An administrator looked at the service as a person sees it.',
  'user.factors_reset': 'The operator, or an administrator, removed all second factors of a person.',
  'users.imported': 'The command line brought people in from a file.',
  'user.erased': 'A person erased their account, or asked the operator to.',
  'user.exported': 'The operator wrote down for a person everything held about them.',
  'users.exported': 'An administrator exported the list of people.',
  'audit.exported': 'An administrator exported this trail.',
  'sign_in.stuffing_suspected': 'One address fails to sign in to many accounts.',
  'sign_in.flood_suspected': 'More sign-ins fail than the service lets through.',
  'keys.rotated': 'The command line made the next signing key.',
  'credits.granted': 'Credits were given to a wallet.',
  'credits.taken': 'Credits were taken from a wallet.',
  'credits.refunded': 'A spend was given back.',
  'credits.clawed_back': 'Credits that had come in were taken back.',
  'credits.wallet_thawed': 'An administrator let a wallet take part again that had been frozen.',
  'credits.code_created': 'A code that people redeem for credits was made.',
  'credits.code_revoked': 'A code was withdrawn.',
  'payments.event_replayed': 'An administrator applied an event of a payment provider once more.',
  'package.created': 'A package of credits is for sale.',
  'package.changed': 'A package of credits was changed; `details` says its version.',
  'application.created': 'A person registered an application.',
  'application.registered_itself': 'An application registered itself, or was described by its metadata.',
  'application.changed': 'An application was changed; `details` names the fields.',
  'application.deleted': 'An application was deleted.',
  'application.secret_rotated': 'An application has another secret.',
  'application.api_key_created': 'An application has one more API key.',
  'application.api_key_changed': 'An API key of an application has another name or budget.',
  'application.api_key_rotated': 'An API key of an application has another secret.',
  'application.api_key_revoked': 'An API key of an application was revoked.',
  'application.verified': 'The operator said, or took back, that an application is what it says.',
  'member.role_changed': 'A member of an application has another role.',
  'member.removed': 'A member lost access to an application.',
  'access.requested': 'A person asked for access to an application.',
  'access.withdrawn': 'A person took such a request back.',
  'access.approved': 'A request for access was approved.',
  'access.denied': 'A request for access was denied.',
  'grant.given': 'A person let an application in.',
  'grant.revoked': 'A person took back what an application may do.',
  'endpoint.created': 'An application has one more address for events.',
  'endpoint.changed': 'An address for events was changed.',
  'endpoint.deleted': 'An address for events was removed.',
  'endpoint.disabled': 'An address for events was switched off, because nothing arrived there.',
  'endpoint.secret_rotated': 'An address for events has another secret.',
  'payments.refund_made': 'An administrator refunded a purchase, whole or in part.',
  'payments.refund_approved': 'An administrator approved a refund that was asked for.',
  'payments.refund_denied': 'An administrator denied a refund that was asked for.',
  'payments.reconciled':
    'What a payment provider lists was compared with the ledger; `details` counts what was found and repaired.',
  'payments.subscription_ended':
    'A subscription is ended with its period: its money went back (`lost`), or another goes on beside it (`second`).',
  'payments.subscription_end_asked':
    "An administrator, or the operator who erases a person, had the provider end the person's subscription; " +
    '`details` says which, and whether with its period (`period_end`) or at once (`now`).',
  'plan.created': 'An administrator made a plan that people can subscribe to.',
  'plan.changed': 'A plan was changed; `details` names the fields and the version of its terms.',
} as const satisfies Record<string, string>;

/** What was done, dotted. */
export type AuditAction = keyof typeof auditEventTypes;

export const auditActions = Object.keys(auditEventTypes) as AuditAction[];
