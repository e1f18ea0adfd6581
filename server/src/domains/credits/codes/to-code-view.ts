import type { codes } from '../code-tables.ts';
import type { CodeView } from './schemas.ts';

/** A code as administrators see it; the text of a secret one is not known any more. */
export function toCodeView(row: typeof codes.$inferSelect): CodeView {
  const { codeHash: _, chosenCode: code, createdBy: __, ...shown } = row;
  return {
    ...shown,
    code,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
