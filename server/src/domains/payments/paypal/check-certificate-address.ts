import { AppError } from '../../../errors.ts';

/** Where PayPal keeps certificates, under each of its hosts. */
const certificatePath = /^\/v1\/notifications\/certs\/[\w-]{1,128}$/;
const addressCharactersMax = 500;

export type CertificateHosts = {
  mode: 'live' | 'sandbox' | 'stand-in';
  /** In development: the one origin at which a stand-in keeps its certificates. Otherwise empty. */
  standInOrigin: string;
};

/**
 * The address of the certificate that a delivery names, if PayPal keeps it: over https, at a host of
 * PayPal's in our mode, at the place where it keeps certificates, and nothing else in the address. Whoever
 * chooses the certificate chooses the key that the signature is checked with, so every other address is
 * refused before it is asked. Throws `payments.signature_invalid`, and `payments.wrong_mode` when it is a
 * host of the other mode.
 */
export function checkCertificateAddress(address: string, { mode, standInOrigin }: CertificateHosts): string {
  if (address.length > addressCharactersMax || !URL.canParse(address)) throw refused();
  const url = new URL(address);
  // Written otherwise than it is read, such as with user-info, a port, a query or dots in the path.
  if (url.href !== address || url.username + url.password + url.search + url.hash !== '') throw refused();
  if (!certificatePath.test(url.pathname)) throw refused();
  if (mode === 'stand-in') {
    if (standInOrigin === '' || url.origin !== new URL(standInOrigin).origin) throw refused();
    return url.href;
  }
  if (url.protocol !== 'https:' || url.port !== '') throw refused();
  const isSandbox = url.hostname.endsWith('.sandbox.paypal.com');
  if (!isSandbox && !url.hostname.endsWith('.paypal.com')) throw refused();
  if (isSandbox !== (mode === 'sandbox')) throw new AppError('payments.wrong_mode');
  return url.href;
}

function refused(): AppError {
  return new AppError('payments.signature_invalid', {
    cause: new Error('no address of a certificate of PayPal'),
  });
}
