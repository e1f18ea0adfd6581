/** How a command answers: lines for people, or one JSON document with `--json`. */
export type Output = {
  /** A line for people; nothing with `--json`. */
  say(line: string): void;
  /** Progress on stderr, overwritten in place on a terminal. */
  progress(line: string): void;
  /** The last line of progress stays; what follows begins a new one. */
  endProgress(): void;
  /** The result as one JSON document; nothing without `--json`. */
  result(value: unknown): void;
};

export function createOutput(isJson: boolean): Output {
  const isTerminal = process.stderr.isTTY;
  const progress = (line: string) => {
    process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
  };
  const endProgress = () => {
    if (isTerminal) process.stderr.write('\n');
  };
  return isJson
    ? {
        say: () => {},
        progress,
        endProgress,
        result: (value) => console.log(JSON.stringify(value, null, 2)),
      }
    : { say: (line) => console.log(line), progress, endProgress, result: () => {} };
}

/** A failure that the operator can mend; printed without a stack. */
export class CommandError extends Error {
  override name = 'CommandError';
}
