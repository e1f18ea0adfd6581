import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import type { Config } from './config.ts';
import { prettyLine } from './lib/pretty-log.ts';
import { maskTokens, redact } from './lib/redact.ts';

/**
 * Lets the service live on when nobody takes its output any more, or the disk that it goes to is full:
 * without a listener, a failed write ends the process. What cannot be written is lost; the next line is tried
 * again.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/**
 * The log of the service: one JSON object per line, or one readable line in development (LOG_FORMAT). Secret
 * fields are removed at any depth, and whatever looks like a token is masked wherever it stands.
 */
export function createLog(
  config: Pick<Config, 'logLevel' | 'logFormat' | 'isProduction'>,
  destination: DestinationStream = process.stdout,
): Logger {
  const isPretty = config.logFormat === 'pretty' || (config.logFormat === '' && !config.isProduction);
  const withColours = destination === process.stdout && process.stdout.isTTY && !process.env.NO_COLOR;
  return pino(
    {
      level: config.logLevel,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      // Errors are described by `redact`; pino's own serializer would add the fields it left out.
      serializers: { err: (error: unknown) => error },
      formatters: { level: (label) => ({ level: label }), log: redact, bindings: redact },
      hooks: {
        streamWrite: (line) => {
          const masked = maskTokens(line);
          return isPretty ? prettyLine(masked, withColours) : masked;
        },
      },
    },
    destination,
  );
}
