export { assertAcceptablePassword, type PasswordOwner } from './assert-acceptable-password.ts';
export { endSessions, logOut, type EndReason } from './end-sessions.ts';
export { findBrowserCaller, readOwnAccount } from './find-browser-caller.ts';
export { findSession, readSessionDocument, touchSession, type LiveSession } from './find-session.ts';
export {
  importUsers,
  type ImportNote,
  type ImportOptions,
  type ImportProgress,
  type ImportReport,
} from './import/import-users.ts';
export { importMappings, type MappingName, type MappingParameters } from './import/mappings.ts';
export { ImportFileError } from './import/import-file-error.ts';
export { importFormats, type ImportFormat } from './import/read-records.ts';
export { createKeyring, type Keyring } from './keyring.ts';
export { createPasswordHasher, type PasswordHasher } from './password-hasher.ts';
export { recordSecurityEvent, type SecurityEvent, type SecurityEventType } from './record-security-event.ts';
export { openSessionFor, verifyPassword } from './log-in.ts';
export { credentialsSchema } from './schemas.ts';
export { readAvailable } from './read-available.ts';
export { rotateKeys, type KeyRotation } from './rotate-keys.ts';
export { addAuthRoutes } from './routes.ts';
export { isKnownAddress } from './is-known-address.ts';
export { registerUser } from './register-user.ts';
export { signInBrowser, type BrowserSignIn } from './sign-in-browser.ts';
export type { Signer } from './signer.ts';
export type { AccessTokenClaims, IssuedTokenClaims } from './token-verifier.ts';
export { handleRecoveryJobs } from './recovery/handle-recovery-jobs.ts';
export { requestPasswordReset } from './recovery/request-password-reset.ts';
export { resetPassword } from './recovery/reset-password.ts';
export { addRecoveryRoutes } from './recovery/routes.ts';
export { verifyEmail } from './recovery/verify-email.ts';
