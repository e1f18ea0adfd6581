import { rules } from './index.ts';
import { readRepository } from './repository.ts';

// Prints what breaks a rule, one finding per line, and exits with 1 when there is one. Needs no database.
const repository = readRepository();
const findings = rules.flatMap((rule) => rule.check(repository).map((finding) => ({ rule, ...finding })));
const lines = findings.map(({ path, line, message, rule }) => `${path}:${line} ${message} (${rule.name})`);
process.stderr.write(lines.map((text) => `${text}\n`).join(''));
if (findings.length > 0) process.exitCode = 1;
