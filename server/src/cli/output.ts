/** How a command answers: lines for people, or one JSON document with `--json`. */
export type Output = {
  /** A line for people; nothing with `--json`. */
  say(line: string): void;
  /** Progress, overwritten in place on a terminal; nothing with `--json`. */
  progress(line: string): void;
  /** The result as one JSON document; nothing without `--json`. */
  result(value: unknown): void;
};

export function createOutput(isJson: boolean): Output {
  if (isJson) {
    return {
      say: () => {},
      progress: () => {},
      result: (value) => console.log(JSON.stringify(value, null, 2)),
    };
  }
  const isTerminal = process.stderr.isTTY;
  return {
    say: (line) => console.log(line),
    progress: (line) => process.stderr.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`),
    result: () => {},
  };
}

/** A failure that the operator can mend; printed without a stack. */
export class CommandError extends Error {
  override name = 'CommandError';
}
