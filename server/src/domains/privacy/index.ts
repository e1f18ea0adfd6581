export { collectDataForOperator } from './collect-personal-data.ts';
export { erasePerson, erasePersonForOperator } from './erase-person.ts';
export { exportService, exportedTables, type ExportedTable } from './export-service.ts';
export { formatPersonalDataAsJson, formatPersonalDataAsZip } from './format-personal-data.ts';
export { handlePrivacyJobs } from './handle-privacy-jobs.ts';
export { addPrivacyRoutes } from './routes.ts';
