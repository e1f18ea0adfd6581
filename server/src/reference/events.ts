import { auditEventTypes } from '../domains/audit/index.ts';
import { securityEventMeanings } from '../domains/auth/index.ts';
import { cell } from './configuration.ts';

/** `docs/reference/events.md`: what stands in the trails, from the tables that name the events. */
export function renderEvents(): string {
  return [
    '# Events',
    'Whatever matters for security is written down in the transaction in which it happens: neither exists without ' +
      'the other. No event holds a secret.',
    '## The audit trail',
    'What administrators, operators and the service did, for administrators to read at `/api/v1/audit/events`: ' +
      'with who, on what, why and from where. Append-only, and sealed into a chain that `obol audit verify` proves.',
    tableOf(auditEventTypes),
    "## A person's own trail",
    'What happened to an account, for its owner to read at `/api/v1/auth/security-events`, and for administrators ' +
      'at `/api/v1/users/{userId}/security-events`.',
    tableOf(securityEventMeanings),
    '',
  ].join('\n\n');
}

function tableOf(meanings: { readonly [type: string]: string }): string {
  const rows = Object.entries(meanings).map(([type, meaning]) => `| \`${type}\` | ${cell(meaning)} |`);
  return ['| type | says |', '|---|---|', ...rows].join('\n');
}
