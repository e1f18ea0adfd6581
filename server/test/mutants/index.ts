import { bonusMutants } from './bonus.ts';
import { budgetMutants } from './budgets.ts';
import { codeMutants } from './codes-and-teams.ts';
import { holdMutants } from './holds.ts';
import { journalMutants } from './journal.ts';
import { mandateMutants } from './mandates.ts';
import type { Mutant } from './mutant.ts';
import { movementMutants } from './movements.ts';
import { proofMutants } from './proofs.ts';
import { queueMutants } from './queue.ts';
import { readMutants } from './reads.ts';
import { spendMutants } from './spends.ts';
import { timeMutants } from './time.ts';

/** All of them, in the order in which they are tried. */
export const mutants: Mutant[] = [
  ...journalMutants,
  ...timeMutants,
  ...spendMutants,
  ...queueMutants,
  ...readMutants,
  ...proofMutants,
  ...holdMutants,
  ...mandateMutants,
  ...budgetMutants,
  ...movementMutants,
  ...codeMutants,
  ...bonusMutants,
];
