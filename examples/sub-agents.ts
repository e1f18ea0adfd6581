import { Refusal, type ObolClient } from './lib/obol-client.ts';

/** A piece of work: how much it may cost at most, and what it did cost in the end. */
export type Task = { name: string; costMax: number; work: () => Promise<number> };

export type TaskReport = {
  name: string;
  outcome: 'done' | 'failed' | 'refused';
  cost: number;
  /** Why it was refused. */
  code?: string;
};

/**
 * Runs tasks side by side, for one person and under the one mandate that they gave the app. Each sub-agent
 * sets aside what its task may cost before it begins, so that all of them together can never spend more than
 * was allowed, however many there are; then it settles what the task did cost. A task that fails costs
 * nothing. One that there is no allowance left for is not begun.
 */
export function runSubAgents(obol: ObolClient, onBehalfOf: string, tasks: Task[]): Promise<TaskReport[]> {
  return Promise.all(tasks.map((task) => runTask(obol, onBehalfOf, task)));
}

async function runTask(obol: ObolClient, onBehalfOf: string, task: Task): Promise<TaskReport> {
  const { name, costMax, work } = task;
  try {
    const hold = await obol.placeHold({ onBehalfOf, amount: costMax, description: name });
    const cost = await work().catch(() => undefined);
    if (cost === undefined) {
      await obol.voidHold(hold.id);
      return { name, outcome: 'failed', cost: 0 };
    }
    await obol.captureHold(hold.id, { amount: cost });
    return { name, outcome: 'done', cost };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { name, outcome: 'refused', cost: 0, code: error.code };
  }
}
