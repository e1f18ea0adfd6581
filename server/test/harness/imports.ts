import { hashSync as bcryptHashSync } from '@node-rs/bcrypt';
import { Readable } from 'node:stream';
import {
  importUsers,
  type ImportNote,
  type ImportOptions,
  type ImportReport,
} from '../../src/domains/auth/index.ts';
import type { TestService } from './index.ts';

/** Of `imported pass`. */
export const importedHash = bcryptHashSync('imported pass', 4, Buffer.from('0123456789abcdef'));

export type Taken = ImportReport & { notes: ImportNote[] };

/** Takes in what a file of this content would bring. */
export async function takeIn(
  service: TestService,
  content: string | Buffer,
  options: Partial<ImportOptions> = {},
): Promise<Taken> {
  const notes: ImportNote[] = [];
  const report = await importUsers(
    service.ctx,
    { open: () => Readable.from([Buffer.from(content)]) },
    {
      format: 'jsonl',
      mapping: 'obol',
      parameters: {},
      onConflict: 'skip',
      withBonus: false,
      withRoles: false,
      isDryRun: false,
      onNotes: (some) => notes.push(...some),
      ...options,
    },
  );
  return { ...report, notes };
}

/** A file of JSON lines. */
export function jsonLines(...people: unknown[]): string {
  return people.map((person) => JSON.stringify(person)).join('\n');
}
