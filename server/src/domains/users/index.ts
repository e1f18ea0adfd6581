export { checkEmail } from './check-email.ts';
export { createUser, type NewUser } from './create-user.ts';
export { findUser, findUserByEmail, readUser, readUserDocument } from './find-user.ts';
export { markEmailVerified } from './mark-email-verified.ts';
export { promoteToAdmin } from './promote-to-admin.ts';
export { readProfile, type ReadAvailable } from './read-profile.ts';
export { addUserRoutes } from './routes.ts';
export {
  emailSchema,
  nameSchema,
  pictureSchema,
  usernameSchema,
  userSchema,
  type UserObject,
} from './schemas.ts';
export { toUserObject, type User } from './to-user-object.ts';
