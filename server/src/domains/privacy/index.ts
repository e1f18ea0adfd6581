export { erasePerson } from './erase-person.ts';
export { exportService, exportedTables, type ExportedTable } from './export-service.ts';
export { handlePrivacyJobs } from './handle-privacy-jobs.ts';
export { addPrivacyRoutes } from './routes.ts';
