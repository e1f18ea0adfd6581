import type { Random } from '../../../ctx.ts';

/** Waits after each failed attempt; together a little over three days. @see Standard Webhooks 1.0.0 */
const retryScheduleSeconds = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;
const retryAfterSecondsMax = 86_400;
const jitter = 0.2;

/**
 * How long to wait after attempt number `attemptCount` (from 1) failed, or undefined when it was the last. Up
 * to a fifth longer than the schedule says, so that what failed together does not come back together, and no
 * earlier than the receiver asked for, up to a day.
 */
export function nextWaitSeconds(
  attemptCount: number,
  { random, retryAfterSeconds = 0 }: { random: Random; retryAfterSeconds?: number | undefined },
): number | undefined {
  const scheduled = retryScheduleSeconds[attemptCount - 1];
  if (scheduled === undefined) return undefined;
  const share = random.bytes(4).readUInt32BE() / 2 ** 32;
  const jittered = scheduled * (1 + jitter * share);
  return Math.ceil(Math.max(jittered, Math.min(retryAfterSeconds, retryAfterSecondsMax)));
}
