import type { Random } from '../../../ctx.ts';
import { exactInteger } from '../../../lib/exact.ts';

type RandomSource = { random: Random };

/** Ids drawn by lot between the first and the last, both included. */
export function drawIds(
  source: RandomSource,
  { first, last, count }: { first: string; last: string; count: number },
): string[] {
  const [low, high] = [toInteger(first), toInteger(last)];
  return Array.from({ length: count }, () => toId(low + (random128(source) % (high - low + 1n))));
}

/** A whole number from 0 to below `bound`, by lot. */
export function drawInteger(source: RandomSource, bound: number): number {
  return exactInteger(random128(source) % BigInt(bound));
}

/** The smallest version 7 UUID of a time: what was made since then has a greater one. @see RFC 9562 §5.7 */
export function firstIdOf(time: Date): string {
  return toId(BigInt(time.getTime()) << 80n);
}

const random128 = ({ random }: RandomSource) => BigInt(`0x${random.bytes(16).toString('hex')}`);

const toInteger = (id: string) => BigInt(`0x${id.replaceAll('-', '')}`);

function toId(integer: bigint): string {
  const text = integer.toString(16).padStart(32, '0');
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join(
    '-',
  );
}
