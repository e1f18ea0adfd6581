import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

export type Address = { address: string; family: number };

/** Finds the addresses of a name, until the signal comes. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<Address[]>;

export type ResolverOptions = {
  /** Servers to ask, with their ports, instead of those of this machine. */
  servers?: string[];
  hostsFile?: string;
};

const patience = { timeout: 2000, tries: 2 };
const unknownCodes = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * Finds names that somebody else chose: as the hosts file says, else by asking DNS ourselves. The system's
 * own look-up would have libuv's threads wait, two at most, so that names which never resolve would hold up
 * every other one, that of the database among them. Rejects with `ENOTFOUND` or `EAI_AGAIN`, like that one.
 */
export function createResolve({ servers, hostsFile = '/etc/hosts' }: ResolverOptions = {}): Resolve {
  return async (hostname, signal) => {
    const known = findInHosts(await readFile(hostsFile, 'utf8').catch(() => ''), hostname);
    return known.length > 0 ? known : askDns(hostname, signal, servers);
  };
}

/** @see hosts(5) */
function findInHosts(hosts: string, hostname: string): Address[] {
  const lines = hosts.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/));
  return lines.flatMap(([address = '', ...names]) => {
    const family = isIP(address);
    const isNamed = names.some((name) => name.toLowerCase() === hostname.toLowerCase());
    return isNamed && family !== 0 ? [{ address, family }] : [];
  });
}

async function askDns(hostname: string, signal: AbortSignal, servers?: string[]): Promise<Address[]> {
  signal.throwIfAborted();
  const resolver = new Resolver(patience);
  if (servers) resolver.setServers(servers);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel);
  try {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    if (v4.status === 'rejected' && v6.status === 'rejected') throw failure(hostname, [v4.reason, v6.reason]);
    return [...toAddresses(v4, 4), ...toAddresses(v6, 6)];
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function toAddresses(answer: PromiseSettledResult<string[]>, family: 4 | 6): Address[] {
  return answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family })) : [];
}

function failure(hostname: string, causes: NodeJS.ErrnoException[]): Error {
  const isUnknown = causes.every(({ code = '' }) => unknownCodes.has(code));
  const error = new Error(`${hostname} could not be looked up`, { cause: causes[0] });
  return Object.assign(error, { code: isUnknown ? 'ENOTFOUND' : 'EAI_AGAIN' });
}
