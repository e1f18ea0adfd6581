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
  usernameSchema,
  userSchema,
  type UserObject,
} from './schemas.ts';
export { toUserObject, type User } from './to-user-object.ts';
