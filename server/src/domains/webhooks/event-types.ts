/**
 * Every type of event, with what it tells. `asked` ones are sent only to endpoints that name them: they come
 * with every spend.
 */
export const eventTypes = {
  'credits.low': { tells: 'A balance has fallen below `lowBalance` of the endpoint.' },
  'credits.exhausted': { tells: 'Nothing is left to spend.' },
  'credits.granted': { tells: 'Credits came in: a purchase, a gift, the daily credits.' },
  'credits.spent': { tells: 'Credits were spent in the application. Must be asked for.', asked: true },
  'mandate.created': { tells: 'A person lets the application spend.' },
  'mandate.changed': { tells: 'The terms are others now, or it is paused or resumed.' },
  'mandate.revoked': { tells: 'The application may spend no more.' },
  'mandate.exceeded': { tells: 'A spend of the application was refused for the terms of its mandate.' },
  'hold.expired': { tells: 'A hold of the application ended by itself; what was left went back.' },
  'user.registered': { tells: 'Somebody has registered through the application.' },
  'user.updated': { tells: 'A person changed their profile; `fields` names what.' },
  'user.subscription_changed': {
    tells:
      'A person has another plan, or its payment stands differently: `subscriptionStatus`, `subscriptionTier`.',
  },
  'user.deactivated': { tells: 'An account was switched off.' },
  'user.reactivated': { tells: 'An account was switched on again.' },
  'user.deleted': { tells: 'An account was deleted.' },
  'member.added': { tells: 'Somebody became a member of the application.' },
  'member.role_changed': { tells: 'A member has another role.' },
  'member.removed': { tells: 'Somebody is no longer a member.' },
} as const satisfies Record<string, { tells: string; asked?: true }>;

export type EventType = keyof typeof eventTypes;

/** What the test button of an endpoint sends; nobody subscribes to it. */
export const pingEventType = 'webhook.ping';
