export { recordAuditEvent, type AuditEvent, type RequestOrigin } from './record-audit-event.ts';
