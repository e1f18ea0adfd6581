import { createHmac } from 'node:crypto';

/** What is signed: the id of the event, the time of the attempt, and the body as it is sent. */
export type SignedContent = { id: string; timestampSeconds: number; body: string };

/**
 * The value of `webhook-signature`: one signature for each secret (`whsec_…`), so that either is enough while
 * one takes the place of the other. @see Standard Webhooks 1.0.0, Signature scheme
 */
export function signWebhook({ id, timestampSeconds, body }: SignedContent, secrets: string[]): string {
  return secrets
    .map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64')}`;
    })
    .join(' ');
}
