import ipaddr from 'ipaddr.js';

/** Where clouds answer their machines under an address that looks public (Azure's 168.63.129.16). */
const metadataAddresses = new Set(['168.63.129.16']);

/**
 * Whether an IP address may be sent to: one of the public internet. Private, loopback, link-local (where
 * clouds keep their metadata), shared, reserved and tunnelling ranges are not; loopback only where said so.
 * @see RFC 6890
 */
export function isDeliverable(address: string, mayBeLoopback: boolean): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  const range = parsed.range();
  if (mayBeLoopback && range === 'loopback') return true;
  return range === 'unicast' && isAssigned(parsed) && !metadataAddresses.has(parsed.toString());
}

/** Of IPv6, only 2000::/3 has been given out. @see RFC 4291 §2.4 */
function isAssigned(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.kind() === 'ipv4' || address.match(ipaddr.parseCIDR('2000::/3'));
}
