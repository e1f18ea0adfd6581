import { isIP, type LookupFunction } from 'node:net';
import { isDeliverable } from './is-deliverable.ts';
import { createResolve, type Address, type Resolve } from './create-resolve.ts';

export type { Address, Resolve } from './create-resolve.ts';

const resolveName = createResolve();

export type FindOptions = {
  mayBeLoopback: boolean;
  /** Finds the addresses of a name; the hosts file and DNS unless said otherwise. */
  resolve?: Resolve | undefined;
  /** Ends the search. */
  signal: AbortSignal;
};

/** Thrown for an endpoint that must not be asked; the message is for its administrators. */
export class RefusedAddressError extends Error {
  override name = 'RefusedAddressError';
}

/**
 * The addresses that a name leads to, each of which may be sent to; the request goes to these and to no
 * others, so that a name which leads elsewhere a moment later gains nothing. One that must not be sent to
 * refuses them all. Throws RefusedAddressError.
 */
export async function findAddresses(
  hostname: string,
  { mayBeLoopback, resolve = resolveName, signal }: FindOptions,
): Promise<Address[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const addresses = family === 0 ? await resolve(host, signal) : [{ address: host, family }];
  if (addresses.length === 0) throw new RefusedAddressError(`${host} has no address`);
  const refused = addresses.find(({ address }) => !isDeliverable(address, mayBeLoopback));
  if (refused) throw new RefusedAddressError(`${host} is not on the public internet`);
  return addresses;
}

/** Answers with the addresses that were checked, whatever the name leads to by now. */
export function pinnedLookup(addresses: Address[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  };
}
