import { createHash } from 'node:crypto';
import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';

const timeoutMs = 2000;
/** Ten times what a padded answer has. */
const answerBytesMax = 1_000_000;

/**
 * Refuses a new password that is known from breaches, if PASSWORD_BREACH_API is set: asks for all digests
 * that begin with the same five hexadecimal characters, so that neither password nor digest leaves this
 * service, and has the answer padded, so that its length tells nothing. When the API cannot be asked, the
 * password passes and the log says so: nobody is kept out by somebody else's outage. Throws
 * `auth.password_unacceptable`.
 * @see https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange, NIST SP 800-63B-4 §3.1.1.2
 */
export async function assertUnbreachedPassword(ctx: Ctx, password: string, path: string): Promise<void> {
  if (ctx.config.passwordBreachApi === '') return;
  const digest = createHash('sha1').update(password.normalize('NFKC')).digest('hex').toUpperCase();
  const lines = await askForRange(ctx, digest.slice(0, 5));
  if (!lines.some((line) => isBreached(line, digest.slice(5)))) return;
  const message = 'is known from a data breach, so it is tried first; choose one that you use nowhere else';
  throw new AppError('auth.password_unacceptable', { errors: [{ path, message }] });
}

/** `SUFFIX:COUNT`; lines of padding have the count 0. */
function isBreached(line: string, suffix: string): boolean {
  const [found, count] = line.trim().split(':');
  return found?.toUpperCase() === suffix && Number(count) > 0;
}

async function askForRange({ config, log }: Ctx, prefix: string): Promise<string[]> {
  try {
    const response = await fetch(`${config.passwordBreachApi}/${prefix}`, {
      headers: { 'add-padding': 'true', 'user-agent': 'obol' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok || !response.body) throw new Error(`the API answered ${response.status}`);
    return (await readText(response.body)).split('\n');
  } catch (error) {
    log.warn({ err: error }, 'PASSWORD_BREACH_API cannot be asked: the password passes without it');
    return [];
  }
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > answerBytesMax) throw new Error('the answer of the API is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
