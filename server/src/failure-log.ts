import type { Logger } from 'pino';
import type { Clock } from './ctx.ts';
import { AppError, type ErrorCode } from './errors.ts';

/** Where what fails on our side is written down. */
export type FailureLog = {
  /**
   * Writes down a failure with its stack and causes, each one. Only what cannot be had now (503) comes with
   * every request until it can be had again: of one code, the first ten are written, then one a second, with
   * the number of those `leftOut` before it. `facts` say what it was about.
   */
  write(log: Log, failure: { error: unknown; message: string; facts?: Record<string, unknown> }): void;
  /** Writes how many were left out last, once a second has gone by without one. To be called now and then. */
  review(): void;
  /** Writes at once how many were left out last. */
  close(): void;
};

type Log = Pick<Logger, 'error' | 'warn' | 'debug'>;
/** Failures of one code that follow each other. */
type Run = { lines: number; leftOut: number; lineAtMs: number; seenAtMs: number };

const firstLinesMax = 10;
const lineEveryMs = 1000;
/** After so long without one, the first are written again. */
const forgetAfterMs = 60_000;

/** A log of failures, for one service. What it says later of many goes to `serviceLog`. */
export function createFailureLog(parts: { clock: Clock; log: Log }): FailureLog {
  const { clock, log: serviceLog } = parts;
  const runs = new Map<ErrorCode, Run>();
  const tellLeftOut = (code: ErrorCode, run: Run, nowMs: number): void => {
    if (run.leftOut > 0) serviceLog[levelOf(code)]({ leftOut: run.leftOut }, code);
    Object.assign(run, { leftOut: 0, lineAtMs: nowMs });
  };
  const review = (nowMs: number): void => {
    for (const [code, run] of runs) {
      if (hasPassed(lineEveryMs, run.seenAtMs, nowMs)) tellLeftOut(code, run, nowMs);
      if (hasPassed(forgetAfterMs, run.seenAtMs, nowMs)) runs.delete(code);
    }
  };
  const sample = (log: Log, error: AppError, facts: Record<string, unknown>): void => {
    const { code } = error;
    const nowMs = clock.now().getTime();
    review(nowMs);
    const run = runs.get(code) ?? { lines: 0, leftOut: 0, lineAtMs: nowMs, seenAtMs: nowMs };
    runs.set(code, run);
    run.seenAtMs = nowMs;
    if (run.lines >= firstLinesMax && !hasPassed(lineEveryMs, run.lineAtMs, nowMs)) {
      run.leftOut += 1;
      return;
    }
    const { leftOut } = run;
    log[levelOf(code)]({ ...facts, ...(leftOut > 0 ? { leftOut } : {}), ...describe(error) }, code);
    Object.assign(run, { lines: run.lines + 1, leftOut: 0, lineAtMs: nowMs });
  };
  return {
    write(log, { error, message, facts = {} }) {
      const isAway = error instanceof AppError && error.status === 503;
      if (!isAway) return log.error({ ...facts, err: causeOf(error) }, message);
      log.debug({ err: error }, error.code);
      sample(log, error, facts);
    },
    review() {
      if (runs.size > 0) review(clock.now().getTime());
    },
    close() {
      for (const [code, run] of runs) tellLeftOut(code, run, clock.now().getTime());
    },
  };
}

/** A clock that was set back must not silence anything. */
function hasPassed(spanMs: number, sinceMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - sinceMs) >= spanMs;
}

/** Being busy is a refusal like others; the rest is for somebody to mend. */
function levelOf(code: ErrorCode): 'warn' | 'error' {
  return code === 'server.busy' ? 'warn' : 'error';
}

function causeOf(error: unknown): unknown {
  return error instanceof AppError ? (error.options.cause ?? error) : error;
}

/**
 * Our own database being away or being busy says itself in a few words, wherever it was noticed. What others
 * failed at is told in full.
 */
function describe(error: AppError): Record<string, unknown> {
  if (!error.code.startsWith('server.')) return { err: causeOf(error) };
  const cause = innermost(error);
  return cause === error ? {} : { cause: wordsOf(cause) };
}

/** The errors around it quote statements with their values, and repeat it. */
function innermost(error: Error): Error {
  let current = error;
  while (current.cause instanceof Error) current = current.cause;
  return current;
}

/** An error that stands for several, as when no address of a host answers, has a code and no message. */
function wordsOf(error: Error): string {
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
