import { afterAll } from 'vitest';
import { startStandIn, type StandIn } from '../../../stand-in/start-stand-in.ts';
import { createTestClock, type TestClock } from './index.ts';

/**
 * Starts the stand-in for payment providers on a port of its own, with a clock that stands still. Hand its
 * `settings` to `startTestService` as `env` and its `clock` as `clock`, then tell it where the service is
 * with `deliverTo`. Webhooks go when `deliver` is called. `dataDir` keeps its state over a restart. It is
 * stopped after the last test of the file.
 */
export async function startPaymentStandIn(
  options: { clock?: TestClock; dataDir?: string } = {},
): Promise<StandIn & { clock: TestClock }> {
  const { clock = createTestClock(), dataDir } = options;
  const standIn = await startStandIn({
    port: 0,
    clock,
    deliversBySelf: false,
    ...(dataDir === undefined ? {} : { dataDir }),
  });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= standIn.stop());
  afterAll(stop);
  return { ...standIn, stop, clock };
}
