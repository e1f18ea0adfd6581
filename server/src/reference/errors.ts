import { errorTable, type ErrorEntry } from '../errors.ts';
import { cell } from './configuration.ts';

/** `docs/reference/errors.md`: the table of errors.ts, by the first part of the code. */
export function renderErrors(): string {
  const families = Map.groupBy(
    Object.entries(errorTable) as [string, ErrorEntry][],
    ([code]) => code.split('.')[0] ?? '',
  );
  const sections = [...families].map(([family, entries]) => {
    const rows = entries.map(
      ([code, { status, title, detail }]) =>
        `| <a id="${code}"></a>\`${code}\` | ${status} | ${cell(title)} | ${cell(detail)} |`,
    );
    return [`## ${family}`, '', '| code | status | title | detail |', '|---|---|---|---|', ...rows].join(
      '\n',
    );
  });
  return [
    '# Errors',
    'A refusal is a problem document (RFC 9457, `application/problem+json`) with `type`, `title`, `status`, `detail`, ' +
      '`instance`, `code`, `requestId`, and `errors[]` for wrong fields. Decide by `code`: it is stable; texts may ' +
      'change. A code may bring further members, which the reference of the route names.',
    ...sections,
    '',
  ].join('\n\n');
}
