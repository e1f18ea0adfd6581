import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { emptyState, type State } from './state.ts';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export type WorldOptions = {
  /** The clock of who tests; what the stand-in is moved ahead by comes on top of it. */
  clock: { now(): Date };
  /** Where the state is kept; without it, it ends with the process. */
  file?: string;
};

/** What all parts of the stand-in share: its state, its clock and its names. */
export class World {
  /** Origin of the stand-in, known once it listens. */
  url = '';
  readonly state: State;
  private readonly options: WorldOptions;
  /** While something that was due in the past is done, that time is now. */
  private moment: Date | undefined;
  private written = '';

  constructor(options: WorldOptions) {
    this.options = options;
    this.state = { ...emptyState(), ...readState(options.file) };
  }

  /** The time on the clock of the provider, which can be ahead. */
  now(): Date {
    return this.moment ?? new Date(this.sentAt().getTime() + this.state.aheadMs);
  }

  /** The same in seconds, as Stripe counts. */
  seconds(): number {
    return Math.floor(this.now().getTime() / 1000);
  }

  /** The time that is true for those the stand-in talks to: webhooks are sent at it. */
  sentAt(): Date {
    return this.options.clock.now();
  }

  /** Does something as of a time that has passed. */
  at(moment: Date, work: () => void): void {
    const before = this.moment;
    this.moment = moment;
    try {
      work();
    } finally {
      this.moment = before;
    }
  }

  /** An id such as `cus_Ab3…`. */
  newId(prefix: string, length = 24): string {
    return prefix + this.randomText(length);
  }

  randomText(length: number, alphabet = letters): string {
    return [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join('');
  }

  /** Writes the state down, whole or not at all, if it has changed. */
  save(): void {
    const { file } = this.options;
    if (file === undefined) return;
    const text = JSON.stringify(this.state);
    if (text === this.written) return;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
    this.written = text;
  }
}

function readState(file: string | undefined): Partial<State> {
  if (file === undefined) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<State>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
