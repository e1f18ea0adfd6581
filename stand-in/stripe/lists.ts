import type { Form } from '../lib/form.ts';
import { StripeRefusal } from './refusal.ts';

/** Names of parameters that every list takes. */
export const listParameters = ['limit', 'starting_after', 'ending_before', 'created', 'expand'] as const;

/**
 * One page of a list, newest first. `things` are the oldest first. `starting_after` goes to older ones,
 * `ending_before` to newer ones.
 */
export function pageOf<Item extends { id: string }>(things: Item[], form: Form, url: string) {
  const limit = form.integer('limit') ?? 10;
  if (limit < 1 || limit > 100) throw StripeRefusal.wrongParameter('limit', 'must be between 1 and 100');
  const all = things.filter(createdWithin(form)).toReversed();
  const after = form.text('starting_after');
  const before = form.text('ending_before');
  if (before !== null) {
    const newer = all.slice(0, placeOf(all, before, 'ending_before'));
    return list(newer.slice(-limit), newer.length > limit, url);
  }
  const older = after === null ? all : all.slice(placeOf(all, after, 'starting_after') + 1);
  return list(older.slice(0, limit), older.length > limit, url);
}

/** All of a short list, as it stands within another answer. */
export function list<Item>(data: Item[], hasMore: boolean, url: string) {
  return { object: 'list' as const, data, has_more: hasMore, url };
}

function placeOf(items: { id: string }[], id: string, param: string): number {
  const place = items.findIndex((item) => item.id === id);
  if (place < 0) {
    throw new StripeRefusal(400, StripeRefusal.missingResource('object', id, param).body.error);
  }
  return place;
}

/** `created=…` or `created[gte]=…` and the like, in seconds. */
function createdWithin(form: Form): (item: object) => boolean {
  if (!form.has('created')) return () => true;
  const exact = form.isText('created') ? form.integer('created') : null;
  if (exact !== null) return (item) => createdOf(item) === exact;
  const range = form.part('created').only('gt', 'gte', 'lt', 'lte');
  const gt = range.integer('gt') ?? -Infinity;
  const gte = range.integer('gte') ?? -Infinity;
  const lt = range.integer('lt') ?? Infinity;
  const lte = range.integer('lte') ?? Infinity;
  return (item) => {
    const created = createdOf(item);
    return created > gt && created >= gte && created < lt && created <= lte;
  };
}

function createdOf(item: object): number {
  return 'created' in item ? Number(item.created) : 0;
}
