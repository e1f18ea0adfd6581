import { createHmac, sign } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { keyOf, type Certificates } from '../lib/certificates.ts';
import type { World } from '../world.ts';

/** Where webhooks go and what they are signed with. */
export type WebhookKeys = { stripeSecrets: string[]; paypalWebhookId: string; certificates: Certificates };

/** The path at which the certificate lies that PayPal's webhooks are signed with. */
export const certificatePath = '/v1/notifications/certs/CERT-standin';

/**
 * The header of a delivery of Stripe's, signed as of now with each of the secrets, of which there are two
 * while they are being changed. @see https://docs.stripe.com/webhooks#verify-manually
 */
export function stripeHeaders(world: World, body: string, secrets: string[]): Record<string, string> {
  const seconds = Math.floor(world.sentAt().getTime() / 1000);
  const signatures = secrets.map(
    (secret) => `v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`,
  );
  return {
    'stripe-signature': [`t=${seconds}`, ...signatures].join(','),
    'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
  };
}

/**
 * The headers of a delivery of PayPal's: a signature over the id and time of the transmission, the id of the
 * webhook and a checksum of the body. @see
 * https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod
 */
export function paypalHeaders(world: World, body: string, keys: WebhookKeys): Record<string, string> {
  const transmissionId = crypto.randomUUID();
  const time = `${world.sentAt().toISOString().slice(0, 19)}Z`;
  const signed = `${transmissionId}|${time}|${keys.paypalWebhookId}|${crc32(body)}`;
  return {
    'paypal-transmission-id': transmissionId,
    'paypal-transmission-time': time,
    'paypal-transmission-sig': sign('sha256', Buffer.from(signed), keyOf(keys.certificates)).toString(
      'base64',
    ),
    'paypal-cert-url': `${world.url}${certificatePath}`,
    'paypal-auth-algo': 'SHA256withRSA',
    'user-agent': 'PayPal/AUHD-214.0-58843459',
  };
}
