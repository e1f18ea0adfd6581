import type { Rule } from './repository.ts';
import { bannedRules } from './rules/banned.ts';
import { deadRules } from './rules/dead.ts';
import { documentRules } from './rules/documents.ts';
import { domainRules } from './rules/domains.ts';
import { errorRules } from './rules/errors.ts';
import { importRules } from './rules/imports.ts';
import { packageRules } from './rules/packages.ts';
import { routeRules } from './rules/routes.ts';
import { sizeRules } from './rules/sizes.ts';
import { tableRules } from './rules/tables.ts';
import { wholeNumberRules } from './rules/whole-numbers.ts';

/** The rules of the house that a test can check. CONTRIBUTING.md says them in words. */
export const rules: readonly Rule[] = [
  ...importRules,
  ...routeRules,
  ...tableRules,
  ...domainRules,
  ...errorRules,
  ...sizeRules,
  ...bannedRules,
  ...wholeNumberRules,
  ...deadRules,
  ...documentRules,
  ...packageRules,
];
