import { Command, InvalidArgumentError } from 'commander';
import { verifyTrail, type TrailHead, type TrailReport } from '../domains/audit/index.ts';
import { withContext } from './database.ts';
import { createOutput } from './output.ts';

const headPattern = /^(\d{1,15}):([0-9a-f]{64})$/i;

/** `obol audit`: what operators, administrators and the service did to others. */
export function auditCommand(): Command {
  const command = new Command('audit');
  command
    .command('verify')
    .description(
      'Recomputes the hash chain over the trail and names what is off. Locks nothing; exits with 1 when something is ' +
        'off. The head that it prints is worth noting elsewhere.',
    )
    .option('--head <sequence:hash>', 'a head noted earlier, which the chain must still hold', parseHead)
    .option('--json', 'print the report as JSON')
    .action(async ({ json, head }: { json?: boolean; head?: TrailHead }) => {
      const output = createOutput(json ?? false);
      const report = await withContext(({ db }) => verifyTrail(db, head));
      for (const line of linesOf(report)) output.say(line);
      output.result(report);
      if (!report.isSound) process.exitCode = 1;
    });
  return command;
}

function linesOf({ isSound, seals, waiting, head, findings }: TrailReport): string[] {
  const size = `${seals.toLocaleString('en')} events sealed, ${waiting.toLocaleString('en')} waiting`;
  return [
    isSound ? `The audit trail is sound: ${size}.` : `The audit trail is NOT sound (${size}):`,
    ...(head === null ? [] : [`Head: ${head.sequence}:${head.hash}`]),
    ...findings.map(({ sequence, eventId, problem }) => `  ${sequence ?? '–'}, event ${eventId}: ${problem}`),
  ];
}

function parseHead(text: string): TrailHead {
  const [, sequence, hash] = headPattern.exec(text) ?? [];
  if (sequence === undefined || hash === undefined) {
    throw new InvalidArgumentError('It is a sequence and a hash, as `obol audit verify` prints them.');
  }
  return { sequence: Number(sequence), hash };
}
