import { v7 } from 'uuid';
import type { Clock, Random } from '../ctx.ts';

/** A UUID that sorts by creation time, so that indexes grow at one end. @see RFC 9562 §5.7 */
export function newId({ clock, random }: { clock: Clock; random: Random }): string {
  return v7({ msecs: clock.now().getTime(), random: random.bytes(16) });
}
