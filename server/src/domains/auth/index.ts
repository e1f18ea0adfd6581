export { assertAcceptablePassword, type PasswordOwner } from './check-password.ts';
export { createKeyring, type Keyring } from './keyring.ts';
export { createPasswordHasher, type PasswordHasher } from './password-hasher.ts';
export { recordSecurityEvent, type SecurityEvent, type SecurityEventType } from './record-security-event.ts';
export { rotateKeys, type KeyRotation } from './rotate-keys.ts';
export type { AccessTokenClaims } from './token-verifier.ts';
