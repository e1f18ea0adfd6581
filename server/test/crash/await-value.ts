import { setTimeout as pause } from 'node:timers/promises';

const waitMs = 30_000;

/** Waits until there is a value, and gives up loudly when there never is. */
export async function awaitValue<Value>(read: () => Promise<Value | undefined>): Promise<Value> {
  for (let waitedMs = 0; waitedMs < waitMs; waitedMs += 50) {
    const value = await read();
    if (value !== undefined) return value;
    await pause(50);
  }
  throw new Error('what was awaited has not come');
}
