import type { Tx } from '../db/index.ts';

/** Work that outlives the request. A job enqueued in a transaction exists exactly when that transaction commits. */
export type Jobs = {
  enqueue(tx: Tx, name: string, data: Record<string, unknown>): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};
