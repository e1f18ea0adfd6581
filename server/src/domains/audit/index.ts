export { auditActions, auditEventTypes, type AuditAction } from './event-types.ts';
export { handleSealJobs } from './handle-seal-jobs.ts';
export { recordAuditEvent, type AuditEvent, type RequestOrigin } from './record-audit-event.ts';
export { addAuditRoutes } from './routes.ts';
export { verifyTrail, type TrailFinding, type TrailHead, type TrailReport } from './verify-trail.ts';
