import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import type { Config } from './config.ts';
import { prettyLine } from './lib/pretty-log.ts';
import { maskTokens, redact } from './lib/redact.ts';

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
