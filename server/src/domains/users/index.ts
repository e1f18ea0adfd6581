export { banUser } from './administration/ban-user.ts';
export { changeRole } from './administration/change-role.ts';
export { handleBanJobs } from './administration/handle-ban-jobs.ts';
export type { ReadCreditsOf } from './administration/to-account.ts';
export { deactivateAccount, deactivateOwnAccount } from './administration/deactivate-account.ts';
export { lockUsers } from './administration/lock-users.ts';
export { listAccounts } from './administration/list-accounts.ts';
export { reactivateAccount } from './administration/reactivate-account.ts';
export { readAccount, requireUser } from './administration/read-account.ts';
export { addUserAdministrationRoutes } from './administration/routes.ts';
export { reasonQuerySchema, reasonSchema, userIdSchema, type Account } from './administration/schemas.ts';
export { assertFirstAdminLink, claimFirstAdmin } from './first-admin/claim-first-admin.ts';
export { createFirstAdminLink } from './first-admin/create-first-admin-link.ts';
export { changeEmail } from './change-email.ts';
export { checkEmail } from './check-email.ts';
export { createUser, type NewUser } from './create-user.ts';
export {
  findUser,
  findUserByAuth0Id,
  findUserByEmail,
  lockUser,
  readUser,
  readUserDocument,
} from './find-user.ts';
export { forgetAuth0Id, setAuth0Id } from './set-auth0-id.ts';
export { markEmailVerified } from './mark-email-verified.ts';
export { promoteToAdmin } from './promote-to-admin.ts';
export { readProfile, type ReadAvailable } from './read-profile.ts';
export { addUserRoutes } from './routes.ts';
export {
  emailPattern,
  emailSchema,
  nameSchema,
  pictureSchema,
  usernameSchema,
  userSchema,
  type UserObject,
} from './schemas.ts';
export { toUserObject, type User } from './to-user-object.ts';
