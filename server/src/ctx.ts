import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { Database } from './db/index.ts';
import type { FailureLog } from './failure-log.ts';
import type { Jobs } from './jobs/index.ts';
import type { Mailer } from './mail/index.ts';
import type { Metrics } from './metrics/index.ts';
import type { ApiKeyVerifier } from './domains/api-keys/index.ts';
import type { ApplicationVerifier } from './domains/applications/index.ts';
import type {
  AcceptToken,
  Keyring,
  LiveCallers,
  PasswordHasher,
  SignIns,
  Upstream,
} from './domains/auth/index.ts';
import type { BalanceReader, WalletTurns } from './domains/credits/index.ts';
import type { Payments } from './domains/payments/index.ts';

/** The time, handed in so that tests can move it. */
export type Clock = { now(): Date };

/** Randomness, handed in so that a test can repeat it. */
export type Random = { bytes(length: number): Buffer };

/** What every use case is handed: the world outside the function. */
export type Ctx = {
  config: Config;
  db: Database;
  clock: Clock;
  random: Random;
  mail: Mailer;
  jobs: Jobs;
  keys: Keyring;
  passwords: PasswordHasher;
  upstream: Upstream;
  acceptToken: AcceptToken;
  applications: ApplicationVerifier;
  apiKeys: ApiKeyVerifier;
  turns: WalletTurns;
  callers: LiveCallers;
  signIns: SignIns;
  balances: BalanceReader;
  payments: Payments;
  metrics: Metrics;
  log: Logger;
  failureLog: FailureLog;
};
