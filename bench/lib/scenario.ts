import type { Ratio } from './measure.ts';
import type { Environment } from './environment.ts';

/** What a ratio has to reach: at least, or (for latencies) at most. */
export type Goal = { atLeast: number } | { atMost: number };

export type Measurement = Ratio & { label: string; against: string; unit: string; goal: Goal };

export type ScenarioOptions = {
  seconds: number;
  rounds: number;
  wallets: number;
  /** Transactions in a long journal. */
  journal: number;
};

/** A row of the benchmark table: measures our side and its limit or peer in the same run. */
export type Scenario = {
  row: string;
  title: string;
  /** The group name for `npm run bench -- <group>`. */
  group: string;
  run: (environment: Environment, options: ScenarioOptions) => Promise<Measurement[]>;
};

export function reaches({ goal, ratio }: Pick<Measurement, 'goal' | 'ratio'>): boolean {
  return 'atLeast' in goal ? ratio >= goal.atLeast : ratio <= goal.atMost;
}
