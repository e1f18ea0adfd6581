import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Tx } from '../../../db/index.ts';
import { hashOpaqueToken } from '../../../lib/secrets.ts';

export type Payload = AdapterPayload & Record<string, unknown>;

/** What a kind of object needs to be stored; what is left out does not happen to it. */
export type Store = {
  save?: (tx: Tx, id: string, payload: Payload, ttlSeconds: number | undefined) => Promise<void>;
  find: (tx: Tx, id: string) => Promise<Payload | undefined>;
  findByUid?: (tx: Tx, uid: string) => Promise<Payload | undefined>;
  findByUserCode?: (tx: Tx, userCode: string) => Promise<Payload | undefined>;
  consume?: (tx: Tx, id: string) => Promise<void>;
  destroy?: (tx: Tx, id: string) => Promise<void>;
  revokeByGrantId?: (tx: Tx, grantId: string) => Promise<void>;
};

/** Runs statements as the service, in the transaction of the request at hand. */
export type Run = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

/**
 * The adapter that the library asks for, over a store of ours. What a store does not offer is an assertion.
 */
export function toAdapter(name: string, store: Store, run: Run): Adapter {
  const offered = <T>(method: T | undefined, what: string): T => {
    if (method === undefined) throw new Error(`${name} cannot be asked to ${what}`);
    return method;
  };
  return {
    upsert: (id, payload, ttlSeconds) =>
      run((tx) => offered(store.save, 'save')(tx, id, payload as Payload, ttlSeconds)),
    find: (id) => run((tx) => store.find(tx, id)),
    findByUid: (uid) => run((tx) => offered(store.findByUid, 'find by uid')(tx, uid)),
    findByUserCode: (code) => run((tx) => offered(store.findByUserCode, 'find by code')(tx, code)),
    consume: (id) => run((tx) => offered(store.consume, 'consume')(tx, id)),
    destroy: (id) => run((tx) => offered(store.destroy, 'destroy')(tx, id)),
    revokeByGrantId: (grantId) => run((tx) => offered(store.revokeByGrantId, 'revoke')(tx, grantId)),
  };
}

/** What is stored of a code, token or id that opens something. */
export const digestOf = hashOpaqueToken;

/** Seconds since 1970, as the protocol counts. */
export function toSeconds(time: Date | string): number {
  return Math.floor(new Date(time).getTime() / 1000);
}

/** The other way round. */
export function fromSeconds(seconds: number): Date {
  return new Date(seconds * 1000);
}

const handlePrefix = 'handle:';

/**
 * Stands for a code that is known only as a digest, so that a later step of the same way finds it again. It
 * opens nothing from outside, see `hashOf`.
 */
export function toHandle(hash: Buffer): string {
  return `${handlePrefix}${hash.toString('base64url')}`;
}

/** The digest of a code, or of the code that a handle stands for where handles come from ourselves. */
export function hashOf(code: string, takesHandles: boolean): Buffer {
  return takesHandles && code.startsWith(handlePrefix)
    ? Buffer.from(code.slice(handlePrefix.length), 'base64url')
    : digestOf(code);
}
