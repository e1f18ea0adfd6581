import { AppError, isErrorCode } from '../errors.ts';

/**
 * SQLSTATE that our SQL functions raise to refuse: the message is an error code of the table, `detail` is
 * JSON.
 */
const refusalState = 'OB001';
const connectionStates = new Set([
  '57P01',
  '57P02',
  '57P03',
  '08000',
  '08001',
  '08003',
  '08004',
  '08006',
  // What PgBouncer says when it cannot reach PostgreSQL, or lets nobody wait any longer.
  '08P01',
  '53300',
]);
const connectionCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT']);
/** For what the driver finds out by itself it has words, but no codes. */
const lostConnection =
  /^(connection terminated|client has encountered a connection error|timeout exceeded when trying to connect)/i;
const gaveUp = /^query read timeout/i;
const retryableStates = new Set(['40001', '40P01']);

/** The SQLSTATE or system error code of a database failure, looked for along the `cause` chain. */
export function databaseErrorCode(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const code = (current as Error & { code?: unknown }).code;
    if (typeof code === 'string') return code;
  }
  return undefined;
}

/** The name of the constraint that a statement violated, if that is why it failed. */
export function violatedConstraint(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const constraint = (current as Error & { constraint?: unknown }).constraint;
    if (typeof constraint === 'string') return constraint;
  }
  return undefined;
}

/** True for failures that the same transaction may survive when run again (serialisation, deadlock). */
export function isRetryable(error: unknown): boolean {
  return retryableStates.has(databaseErrorCode(error) ?? '');
}

/**
 * True when the database answered with an error: nothing of the statement was committed, it may be tried
 * otherwise. Codes of the system, as `EPIPE`, hold no digit.
 */
export function wasRolledBack(error: unknown): boolean {
  return /^(?!08)(?=.*\d)[0-9A-Z]{5}$/.test(databaseErrorCode(error) ?? '');
}

/** True when the driver waits no longer for a statement, which the server may still be working on. */
function wasGivenUp(error: unknown): boolean {
  return databaseErrorCode(error) === undefined && gaveUp.test(innermostMessage(error));
}

/** True when nothing can be asked on the connection any more; whether a statement was done is open. */
export function isConnectionLost(error: unknown): boolean {
  const code = databaseErrorCode(error);
  if (code !== undefined && (connectionStates.has(code) || connectionCodes.has(code))) return true;
  return lostConnection.test(innermostMessage(error)) || wasGivenUp(error);
}

/** Turns refusals raised in SQL and lost connections into AppErrors; everything else stays what it is. */
export function translateDatabaseError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (databaseErrorCode(error) === refusalState) return refusal(error);
  if (isConnectionLost(error))
    return new AppError('server.unavailable', { cause: error, headers: { 'retry-after': '1' } });
  return error;
}

/**
 * What the driver said. The messages around it quote statements with their values, which anybody may have
 * written.
 */
function innermostMessage(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause !== undefined) current = current.cause;
  return current instanceof Error ? current.message : '';
}

function refusal(error: unknown): unknown {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { code, message, detail } = current as Error & { code?: string; detail?: string };
    if (code !== refusalState || !isErrorCode(message)) continue;
    return new AppError(message, {
      cause: error,
      ...(detail ? { extensions: JSON.parse(detail) as Record<string, unknown> } : {}),
    });
  }
  return error;
}
