import { AppError } from '../../../errors.ts';
import type { rollovers } from '../plan-tables.ts';

/** Throws `request.invalid` unless a cap is given exactly where unused credits are carried over up to one. */
export function assertTerms(terms: {
  rollover: (typeof rollovers)[number];
  rolloverCap: number | null;
}): void {
  const { rollover, rolloverCap } = terms;
  if ((rollover === 'capped') === (rolloverCap !== null)) return;
  const message =
    rollover === 'capped' ? 'must be given with `capped`' : 'must not be given without `capped`';
  throw new AppError('request.invalid', { errors: [{ path: '/body/rolloverCap', message }] });
}
