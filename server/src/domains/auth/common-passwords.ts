import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const path = join(import.meta.dirname, 'common-passwords.txt');

/**
 * Passwords that are tried first, one per line: well-known ones, common words with the usual endings,
 * keyboard walks and runs of digits. Exact entries, lower case and NFKC; shorter ones than allowed are left
 * out. Read once, offline.
 * @see NIST SP 800-63B-4 §3.1.1.2 (blocklist)
 */
export const commonPasswords: ReadonlySet<string> = new Set(readFileSync(path, 'utf8').trimEnd().split('\n'));
