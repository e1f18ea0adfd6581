export type SqlRow = Record<string, unknown>;
export type SqlResult = { rows: SqlRow[] };

/**
 * pg-boss brings some statements wrapped in `BEGIN; … COMMIT;`. Every statement here runs in a transaction of
 * ours, which carries the context of row-level security, so the wrapping goes; so does `CONCURRENTLY`, which
 * no transaction allows.
 */
export function withoutTransaction(text: string): string {
  return text
    .replace(/^\s*BEGIN;/, '')
    .replace(/^\s*COMMIT;\s*$/m, '')
    .replace(/\b(CREATE INDEX|DROP INDEX) CONCURRENTLY\b/g, '$1');
}
