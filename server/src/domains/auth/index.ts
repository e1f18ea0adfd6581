export { endSessionsOf } from './administration/end-sessions-of.ts';
export { impersonateUser } from './administration/impersonate-user.ts';
export { readSessionsOf, readTrailOf } from './administration/read-trail-of.ts';
export { stopImpersonating } from './administration/stop-impersonating.ts';
export { resetFactorsOf } from './administration/reset-factors-of.ts';
export { addAuthAdministrationRoutes } from './administration/routes.ts';
export { assertAcceptablePassword, type PasswordOwner } from './assert-acceptable-password.ts';
export { challengeView } from './create-challenge.ts';
export { describeDevice } from './describe-device.ts';
export { endSessions, type EndReason } from './end-sessions.ts';
export { readOwnTrail } from './list-security-events.ts';
export { listSessions } from './list-sessions.ts';
export { logOut } from './log-out.ts';
export { findBrowserCaller, readOwnAccount, readOwnUser } from './find-browser-caller.ts';
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
export { createLiveCallers, type LiveCallers } from './live-callers.ts';
export { lowerPoolThreads } from './lower-pool-threads.ts';
export { createPasswordHasher, type PasswordHasher } from './password-hasher.ts';
export { recordSecurityEvent, type SecurityEvent } from './record-security-event.ts';
export { answerSignIn, verifyPassword } from './log-in.ts';
export { securityEventMeanings, type SecurityEventType } from './security-event-meanings.ts';
export { credentialsSchema } from './schemas.ts';
export { readAvailable } from './read-available.ts';
export { revokeOtherSessions } from './revoke-other-sessions.ts';
export { revokeSession } from './revoke-session.ts';
export { rotateKeys, type KeyRotation } from './rotate-keys.ts';
export { addAuthRoutes } from './routes.ts';
export { createSignInWatch } from './create-sign-in-watch.ts';
export { registerUser } from './register-user.ts';
export {
  enterBrowser,
  finishInBrowser,
  signInBrowser,
  type BrowserPlace,
  type BrowserSecondFactor,
  type BrowserSignIn,
} from './sign-in-browser.ts';
export { acrOf, passwordAcr, secondFactorAcr } from './sign-in/acr-of.ts';
export { finishSignIn } from './sign-in/finish-sign-in.ts';
export { createSignIns, type SignIns } from './sign-in/sign-ins.ts';
export { signInPerson, type IdentifiedPerson } from './sign-in/sign-in-person.ts';
export type { Signer } from './signer.ts';
export type { AccessTokenClaims, IssuedTokenClaims } from './token-verifier.ts';
export { handleRecoveryJobs } from './recovery/handle-recovery-jobs.ts';
export { requestPasswordReset } from './recovery/request-password-reset.ts';
export { resetPassword } from './recovery/reset-password.ts';
export { addRecoveryRoutes } from './recovery/routes.ts';
export { verifyEmail } from './recovery/verify-email.ts';
export { assertRecentSignIn } from './step-up/assert-recent-sign-in.ts';
export { addFactorRoutes } from './factors/routes.ts';
export { challengeTokenSchema, codeSchema } from './factors/schemas.ts';
export { resetFactors } from './factors/reset-factors.ts';
export { addPasskeyRoutes } from './passkeys/routes.ts';
export { addStepUpRoutes } from './step-up/routes.ts';
export { type FactorProof } from './factors/prove-factor.ts';
export { beginPasswordless } from './passkeys/begin-authentication.ts';
export { identifyByPasskey } from './passkeys/identify-by-passkey.ts';
export { readPasskeyField } from './passkeys/read-passkey-field.ts';
export { assertionSchema } from './passkeys/schemas.ts';
export { readChallenge } from './sign-in/read-challenge.ts';
export { assertOwnPassword } from './factors/check-own-password.ts';
export { disableTotp } from './factors/disable-totp.ts';
export { enableTotp } from './factors/enable-totp.ts';
export { forgetRememberedDevices } from './factors/forget-remembered-devices.ts';
export { readFactors } from './factors/read-factors.ts';
export { readFactorStatus } from './factors/read-factor-status.ts';
export { readSetUp } from './factors/read-set-up.ts';
export { renewBackupCodes } from './factors/renew-backup-codes.ts';
export { setUpTotp } from './factors/set-up-totp.ts';
export { addPasskey } from './passkeys/add-passkey.ts';
export { beginRegistration } from './passkeys/begin-registration.ts';
export { listPasskeys } from './passkeys/list-passkeys.ts';
export { removePasskey } from './passkeys/remove-passkey.ts';
export { registrationResponseSchema } from './passkeys/schemas.ts';
export { listAccounts } from './upstream/list-accounts.ts';
export { startOwnLink } from './upstream/start-link.ts';
export { unlinkAccount } from './upstream/unlink-account.ts';
export { readStepUp } from './step-up/read-step-up.ts';
export { stepUp, type StepUpProof } from './step-up/step-up.ts';
export { confirmEmailChange } from './email-change/confirm-email-change.ts';
export { addEmailChangeRoutes } from './email-change/routes.ts';
export { identifyByLink } from './magic-links/identify-by-link.ts';
export { addMagicLinkRoutes } from './magic-links/routes.ts';
export { resetFactorsByOperator } from './factors/reset-factors-by-operator.ts';
export {
  beginUpstreamSignIn,
  callbackPathOf,
  type Beginning,
  type Way,
} from './upstream/begin-upstream-sign-in.ts';
export { redeemPersonCode } from './upstream/redeem-person-code.ts';
export { addUpstreamRoutes } from './upstream/routes.ts';
export { createTokenAcceptor, type AcceptToken } from './upstream/token-acceptor.ts';
export { createUpstream, type Upstream } from './upstream/upstream.ts';
