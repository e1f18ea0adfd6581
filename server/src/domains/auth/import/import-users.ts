import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { recordAuditEvent } from '../../audit/index.ts';
import { importNotes, imports } from '../import-tables.ts';
import { mappings, type MappingName, type MappingParameters } from './mappings.ts';
import { readPerson, type ImportedPerson, type PersonOptions } from './read-person.ts';
import type { FileRecord } from './import-file-error.ts';
import { readRecords, type ImportFormat } from './read-records.ts';

/** A file that can be opened again from its beginning. */
export type ImportSource = { open(): Readable };

export type ImportOptions = {
  format: ImportFormat;
  mapping: MappingName;
  parameters: MappingParameters;
  /** What becomes of a record whose address has an account: it is skipped, or it completes the account. */
  onConflict: 'skip' | 'update';
  withBonus: boolean;
  withRoles: boolean;
  /** Judges every record and keeps nothing. */
  isDryRun: boolean;
  onProgress?: (progress: ImportProgress) => void;
  /** Hears of every note, of a resumed import from its beginning on. */
  onNotes?: (notes: ImportNote[]) => void;
};

export type ImportProgress = { bytesRead: number; records: number };
export type ImportNote = Pick<typeof importNotes.$inferSelect, 'record' | 'line' | 'outcome' | 'reason'>;

export type ImportReport = {
  importId: string;
  created: number;
  updated: number;
  skipped: number;
  /** How many records this run found done. */
  resumedAfter: number;
  /** Whether an earlier run had come to the end: this one changed nothing. */
  wasFinished: boolean;
};

type Import = typeof imports.$inferSelect;
type Batch = { records: number; people: BatchPerson[]; notes: BatchNote[] };
type BatchPerson = ImportedPerson & { record: number; line: number; new_id: string };
type BatchNote = { record: number; line: number; reason: string; isSkipped: boolean };

/** Few enough that a batch takes a fraction of a second, and that little is done again after a crash. */
const batchSize = 500;
const notesAtOnceMax = 1000;

/**
 * Takes in a file of people: accounts with their password hashes, accounts elsewhere and wallets. What is
 * done is written with the position in the file, batch by batch, so the same call goes on where another was
 * broken off, and leaves nobody out and makes nobody twice. A finished file is not taken in again. Throws
 * ImportFileError and `auth.import_elsewhere`.
 */
export async function importUsers(
  ctx: Ctx,
  source: ImportSource,
  options: ImportOptions,
): Promise<ImportReport> {
  await assertReadable(source, options);
  const digest = await digestOf(source, options);
  if (options.isDryRun) return rehearse(ctx, source, options, digest);
  const begun = await ctx.db.asService((tx) => beginImport(ctx, tx, digest, options));
  let done = begun.recordsDone;
  if (begun.finishedAt === null) {
    for await (const batch of readBatches(ctx, source, options, done)) {
      const before = done;
      await ctx.db.asService((tx) => writeBatch(ctx, tx, { begun, before, batch, options }));
      done += batch.records;
    }
    await finishImport(ctx, begun);
  }
  await tellNotes(ctx, begun.id, options);
  const { created, updated, skipped } = await ctx.db.asService((tx) => readImport(tx, begun.id));
  const wasFinished = begun.finishedAt !== null;
  return { importId: begun.id, created, updated, skipped, resumedAfter: begun.recordsDone, wasFinished };
}

/** A file that cannot be read to its end is refused before anybody is taken in. */
async function assertReadable(source: ImportSource, { format }: ImportOptions): Promise<void> {
  const chunks = countBytes(source.open(), () => {});
  for await (const _ of readRecords(chunks, format));
}

/** The file and whatever decides on what becomes of it. */
async function digestOf(source: ImportSource, options: ImportOptions): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of source.open()) hash.update(chunk as Buffer);
  const { format, mapping, parameters, onConflict, withBonus, withRoles } = options;
  const decisions = JSON.stringify({ format, mapping, parameters, onConflict, withBonus, withRoles });
  return createHash('sha256').update(hash.digest()).update(decisions).digest();
}

async function beginImport(ctx: Ctx, tx: Tx, digest: Buffer, { mapping }: ImportOptions): Promise<Import> {
  await tx
    .insert(imports)
    .values({
      id: newId(ctx),
      digest,
      mapping,
      recordsDone: 0,
      created: 0,
      updated: 0,
      skipped: 0,
      startedAt: ctx.clock.now(),
    })
    .onConflictDoNothing();
  const [begun] = await tx.select().from(imports).where(eq(imports.digest, digest));
  if (!begun) throw new Error('the import that was begun is not there');
  return begun;
}

async function readImport(tx: Tx, id: string): Promise<Import> {
  const [found] = await tx.select().from(imports).where(eq(imports.id, id));
  if (!found) throw new Error('the import is not there');
  return found;
}

async function* readBatches(
  ctx: Ctx,
  source: ImportSource,
  options: ImportOptions,
  done: number,
): AsyncGenerator<Batch> {
  const now = ctx.clock.now();
  const { parameters, withRoles } = options;
  const { creditsScale } = ctx.config;
  const personOptions = { mapping: mappings[options.mapping], parameters, withRoles, creditsScale, now };
  let bytesRead = 0;
  const chunks = countBytes(source.open(), (length) => (bytesRead += length));
  let batch: Batch = { records: 0, people: [], notes: [] };
  for await (const record of readRecords(chunks, options.format)) {
    if (record.record <= done) continue;
    addToBatch(ctx, batch, record, personOptions);
    if (batch.records < batchSize) continue;
    yield batch;
    options.onProgress?.({ bytesRead, records: record.record });
    batch = { records: 0, people: [], notes: [] };
  }
  if (batch.records > 0) yield batch;
}

async function* countBytes(stream: Readable, count: (length: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    count((chunk as Buffer).length);
    yield chunk as Buffer;
  }
}

function addToBatch(ctx: Ctx, batch: Batch, record: FileRecord, options: PersonOptions): void {
  batch.records += 1;
  const place = { record: record.record, line: record.line };
  const read = 'fields' in record ? readPerson(record.fields, options) : record;
  if ('problem' in read) {
    batch.notes.push({ ...place, reason: read.problem, isSkipped: true });
    return;
  }
  batch.people.push({ ...place, new_id: newId(ctx), ...read.person });
  batch.notes.push(...read.notes.map((reason) => ({ ...place, reason, isSkipped: false })));
}

type BatchToWrite = { begun: Import; before: number; batch: Batch; options: ImportOptions };

async function writeBatch(ctx: Ctx, tx: Tx, { begun, before, batch, options }: BatchToWrite): Promise<void> {
  const bonus = options.withBonus ? ctx.config.creditsSignupBonus : 0;
  const [people, notes] = [JSON.stringify(batch.people), JSON.stringify(batch.notes)];
  const after = before + batch.records;
  const at = ctx.clock.now().toISOString();
  await tx.execute(sql`select auth.import_people(
    ${begun.id}, ${before}, ${after}, ${people}, ${notes}, ${options.onConflict}, ${bonus}, ${at})`);
}

async function finishImport(ctx: Ctx, { id, mapping }: Import): Promise<void> {
  await ctx.db.asService(async (tx) => {
    const [finished] = await tx
      .update(imports)
      .set({ finishedAt: ctx.clock.now() })
      .where(and(eq(imports.id, id), isNull(imports.finishedAt)))
      .returning();
    if (!finished) return;
    const { created, updated, skipped } = finished;
    await recordAuditEvent(ctx, tx, {
      action: 'users.imported',
      actor: { type: 'operator' },
      target: { type: 'import', id },
      details: { mapping, created, updated, skipped },
    });
  });
}

async function tellNotes(ctx: Ctx, importId: string, { onNotes }: ImportOptions): Promise<void> {
  if (!onNotes) return;
  for (let after = 0, found = notesAtOnceMax; found >= notesAtOnceMax;) {
    const notes = await ctx.db.asService((tx) => readNotes(tx, importId, after));
    onNotes(notes);
    found = notes.length;
    after = notes.at(-1)?.record ?? after;
  }
}

/** The notes on the records behind one, of whole records. */
async function readNotes(tx: Tx, importId: string, after: number): Promise<ImportNote[]> {
  const { record, line, outcome, reason } = importNotes;
  return tx
    .select({ record, line, outcome, reason })
    .from(importNotes)
    .where(
      and(
        eq(importNotes.importId, importId),
        gt(record, after),
        sql`${record} <= coalesce((
          select last.record from auth.import_notes last
           where last.import_id = ${importId} and last.record > ${after}
           order by last.record offset ${notesAtOnceMax} limit 1), 9223372036854775807)`,
      ),
    )
    .orderBy(asc(record), asc(reason));
}

/** Thrown to undo a batch of a dry run, with what it would have come to. */
class Rehearsed extends Error {
  readonly outcome: { import: Import; notes: ImportNote[] };
  constructor(outcome: { import: Import; notes: ImportNote[] }) {
    super('the batch was only tried out');
    this.outcome = outcome;
  }
}

/**
 * Takes in every batch and undoes it. Addresses that stand twice in the file are remembered by a short
 * digest, as the database forgets them.
 */
async function rehearse(
  ctx: Ctx,
  source: ImportSource,
  options: ImportOptions,
  digest: Buffer,
): Promise<ImportReport> {
  const report = { importId: '', created: 0, updated: 0, skipped: 0, resumedAfter: 0, wasFinished: false };
  const seen = new Set<string>();
  for await (const batch of readBatches(ctx, source, options, 0)) {
    leaveOutSeen(batch, seen);
    const { import: tried, notes } = await tryBatch(ctx, digest, batch, options);
    report.created += tried.created;
    report.updated += tried.updated;
    report.skipped += tried.skipped;
    options.onNotes?.(notes);
  }
  return report;
}

function leaveOutSeen(batch: Batch, seen: Set<string>): void {
  batch.people = batch.people.filter(({ email, record, line }) => {
    const key = createHash('sha256').update(email).digest('base64').slice(0, 16);
    if (!seen.has(key)) return seen.add(key);
    batch.notes = batch.notes.filter((note) => note.record !== record);
    batch.notes.push({ record, line, reason: 'duplicate_in_file', isSkipped: true });
    return false;
  });
}

async function tryBatch(
  ctx: Ctx,
  digest: Buffer,
  batch: Batch,
  options: ImportOptions,
): Promise<Rehearsed['outcome']> {
  try {
    return await ctx.db.asService(async (tx) => {
      // Another digest than that of the import itself, which may have been begun, or be under way.
      const own = createHash('sha256').update(digest).update(newId(ctx)).digest();
      const begun = await beginImport(ctx, tx, own, options);
      await writeBatch(ctx, tx, { begun, before: 0, batch, options });
      const notes = await readNotes(tx, begun.id, 0);
      throw new Rehearsed({ import: await readImport(tx, begun.id), notes });
    });
  } catch (error) {
    if (error instanceof Rehearsed) return error.outcome;
    throw error;
  }
}
