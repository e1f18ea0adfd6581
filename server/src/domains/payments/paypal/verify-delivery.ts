import { verify } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Clock } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { CertificateStore } from './certificate-store.ts';
import { checkCertificateAddress, type CertificateHosts } from './check-certificate-address.ts';

const signatureCharactersMax = 1000;

export type DeliveryRules = {
  clock: Clock;
  webhookId: string;
  toleranceSeconds: number;
  hosts: CertificateHosts;
  certificates: CertificateStore;
};

/**
 * Checks that PayPal has sent these very bytes to our webhook, and not long ago, without asking PayPal
 * about it: it signs transmission id, time, webhook id and the checksum of the body. Throws
 * `request.invalid` when headers are missing, `payments.delivery_too_old`, `payments.wrong_mode`,
 * `payments.signature_invalid`, and `payments.provider_unavailable` when the certificate cannot be had.
 * @see https://developer.paypal.com/api/rest/webhooks/rest/
 */
export async function verifyDelivery(
  body: Buffer,
  headers: Record<string, string | undefined>,
  rules: DeliveryRules,
): Promise<void> {
  const id = headers['paypal-transmission-id'];
  const time = headers['paypal-transmission-time'];
  const signature = headers['paypal-transmission-sig'];
  const address = headers['paypal-cert-url'];
  if (!id || !time || !signature || !address) throw new AppError('request.invalid');
  if (headers['paypal-auth-algo'] !== 'SHA256withRSA') throw new AppError('payments.signature_invalid');
  // What costs nothing first: nobody has us fetch a certificate for a delivery that would be refused anyway.
  if (signature.length > signatureCharactersMax) throw new AppError('payments.signature_invalid');
  const distanceMs = Math.abs(rules.clock.now().getTime() - Date.parse(time));
  if (!(distanceMs <= rules.toleranceSeconds * 1000)) throw new AppError('payments.delivery_too_old');
  const checked = checkCertificateAddress(address, rules.hosts);
  const key = await rules.certificates.keyAt(checked);
  const signed = Buffer.from(`${id}|${time}|${rules.webhookId}|${crc32(body)}`);
  if (!verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64')))
    throw new AppError('payments.signature_invalid');
  await rules.certificates.noteUse(checked);
}
