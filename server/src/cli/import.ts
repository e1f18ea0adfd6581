import { Command, InvalidArgumentError, Option } from 'commander';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import {
  ImportFileError,
  importFormats,
  importMappings,
  importUsers,
  type ImportFormat,
  type ImportNote,
  type ImportProgress,
  type ImportReport,
  type MappingName,
  type MappingParameters,
} from '../domains/auth/index.ts';
import { withContext } from './database.ts';
import { CommandError, createOutput, type Output } from './output.ts';

type ImportArguments = {
  mapping: MappingName;
  format?: ImportFormat;
  onConflict: 'skip' | 'update';
  bonus?: boolean;
  roles?: boolean;
  dryRun?: boolean;
  report?: string;
  firebaseParameters?: string;
  json?: boolean;
};

const progressPauseMs = 1000;
const notesSaidMax = 20;

/** `obol import`: people from other systems. */
export function importCommand(): Command {
  const command = new Command('import');
  command
    .command('users')
    .description(
      'Takes in people with their password hashes from a file of JSON lines or CSV. A run that was broken off goes ' +
        'on where it was when the same command is run again. What each system exports, and how: docs/guides.',
    )
    .argument('<file>', 'the file; .csv is CSV, everything else JSON lines')
    .addOption(
      new Option('--mapping <name>', 'the system that the file comes from')
        .choices(importMappings)
        .default('obol'),
    )
    .addOption(new Option('--format <format>', 'how the file is written').choices([...importFormats]))
    .addOption(
      new Option('--on-conflict <policy>', 'when an address has an account already')
        .choices(['skip', 'update'])
        .default('skip'),
    )
    .option('--bonus', 'wallets start with the signup bonus, as if the people had registered')
    .option('--roles', 'administrators stay administrators')
    .option('--firebase-parameters <file>', 'the password hash parameters of a Firebase project, as JSON')
    .option('--dry-run', 'says what would happen, and changes nothing')
    .option('--report <file>', 'writes every note as a JSON line: record, line, outcome, reason')
    .option('--json', 'print the report as JSON')
    .action((file: string, options: ImportArguments) => importFile(file, options));
  return command;
}

async function importFile(file: string, options: ImportArguments): Promise<void> {
  const output = createOutput(options.json ?? false);
  const { size } = await stat(file).catch(() => {
    throw new CommandError(`There is no file ${file}.`);
  });
  const parameters = await readParameters(options.firebaseParameters);
  const progress = createProgress(output, size);
  const notes = await createNotes(options.report);
  const settings = {
    format: options.format ?? (/\.csv$/i.test(file) ? ('csv' as const) : ('jsonl' as const)),
    mapping: options.mapping,
    parameters,
    onConflict: options.onConflict,
    withBonus: options.bonus ?? false,
    withRoles: options.roles ?? false,
    isDryRun: options.dryRun ?? false,
    onProgress: (made: ImportProgress) => progress.say(made),
    onNotes: (some: ImportNote[]) => notes.add(some),
  };
  const source = { open: () => createReadStream(file) };
  // People who are imported get wallets, perhaps the first.
  const scaleDuty = settings.isDryRun ? 'compare' : 'note';
  const report = await withContext((ctx) => importUsers(ctx, source, settings), { scaleDuty }).catch(
    (error: unknown) => {
      throw error instanceof ImportFileError ? new CommandError(error.message) : error;
    },
  );
  progress.end();
  await notes.end();
  sayReport(output, report, notes, options);
}

async function readParameters(file: string | undefined): Promise<MappingParameters> {
  if (file === undefined) return {};
  const text = await readFile(file, 'utf8').catch(() => {
    throw new CommandError(`There is no file ${file}.`);
  });
  const {
    base64_signer_key: signerKey,
    base64_salt_separator: saltSeparator,
    rounds,
    mem_cost: memoryCost,
  } = parseParameters(text);
  if (!signerKey || saltSeparator === undefined || !rounds || !memoryCost) {
    throw new InvalidArgumentError(
      'The parameters are JSON with base64_signer_key, base64_salt_separator, rounds and mem_cost.',
    );
  }
  return { firebase: { signerKey, saltSeparator, rounds, memoryCost } };
}

function parseParameters(text: string): {
  base64_signer_key?: string;
  base64_salt_separator?: string;
  rounds?: number;
  mem_cost?: number;
} {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError('The parameters are not JSON.');
  }
}

/** Says on stderr how far a run is, how fast, and when it will have ended, at most once a second. */
function createProgress(
  output: Output,
  bytesMax: number,
): { say(progress: ImportProgress): void; end(): void } {
  let first: (ImportProgress & { at: number }) | undefined;
  let saidAt: number | undefined;
  return {
    say(progress) {
      const now = performance.now();
      // What an earlier run has done says nothing about how fast this one is.
      first ??= { ...progress, at: now };
      if (now - (saidAt ?? first.at) < progressPauseMs) return;
      saidAt = now;
      const seconds = (now - first.at) / 1000;
      const perSecond = Math.round((progress.records - first.records) / seconds);
      const bytesPerSecond = (progress.bytesRead - first.bytesRead) / seconds;
      const left = Math.ceil((bytesMax - progress.bytesRead) / bytesPerSecond);
      const percent = Math.floor((100 * progress.bytesRead) / bytesMax);
      output.progress(
        `${count(progress.records)} people, ${percent} %, ${count(perSecond)}/s` +
          (Number.isFinite(left) ? `, ${count(left)} s left` : ''),
      );
    },
    end: () => {
      if (saidAt !== undefined) output.endProgress();
    },
  };
}

type Notes = {
  add(notes: ImportNote[]): void;
  end(): Promise<void>;
  first: ImportNote[];
  reasons: Map<string, number>;
};

/**
 * Counts the notes by reason, keeps the first, and writes them all into the file of the report. Throws
 * CommandError when that cannot be opened, and `end` when it could not be written.
 */
async function createNotes(file: string | undefined): Promise<Notes> {
  const report = file === undefined ? undefined : await openReport(file);
  const first: ImportNote[] = [];
  const reasons = new Map<string, number>();
  return {
    first,
    reasons,
    add(notes) {
      for (const note of notes) {
        const reason = `${note.outcome}: ${note.reason}`;
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        if (first.length < notesSaidMax) first.push(note);
        report?.write(`${JSON.stringify(note)}\n`);
      }
    },
    end: async () => report?.end(),
  };
}

async function openReport(file: string): Promise<{ write(line: string): void; end(): Promise<void> }> {
  const handle = await open(file, 'w', 0o600).catch((error: Error) => {
    throw new CommandError(`The report cannot be written: ${error.message}.`);
  });
  const stream = handle.createWriteStream();
  // Told at the end: what is being taken in goes on.
  stream.on('error', () => {});
  return {
    write: (line) => void stream.write(line),
    async end() {
      stream.end();
      await finished(stream).catch((error: Error) => {
        const advice = 'Nobody was left out for that; run the command again to have all of it.';
        throw new CommandError(`The report could not be written: ${error.message}. ${advice}`);
      });
    },
  };
}

const count = (number: number): string => number.toLocaleString('en');

function sayReport(output: Output, report: ImportReport, notes: Notes, { dryRun }: ImportArguments): void {
  const { created, updated, skipped, resumedAfter, wasFinished } = report;
  if (wasFinished) output.say('This file was imported before; nothing was done. What came of it:');
  else if (resumedAfter > 0) output.say(`Went on behind record ${count(resumedAfter)}.`);
  output.say(
    `${dryRun ? 'It would be: ' : ''}${count(created)} created, ${count(updated)} updated, ${count(skipped)} skipped.`,
  );
  for (const [reason, number] of notes.reasons) output.say(`  ${reason}: ${count(number)}`);
  if (notes.first.length > 0) output.say('First of them:');
  for (const { line, outcome, reason } of notes.first) output.say(`  line ${line}: ${outcome}, ${reason}`);
  output.result({
    ...report,
    isDryRun: dryRun ?? false,
    reasons: Object.fromEntries(notes.reasons),
    notes: notes.first,
  });
}
