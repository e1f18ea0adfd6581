import type { Config } from '../../../config.ts';

/** Whether events may be sent to this machine: where one develops, and never in production. */
export function allowsLoopback({ webhookAllowLoopback, isProduction }: Config): boolean {
  return webhookAllowLoopback && !isProduction;
}
