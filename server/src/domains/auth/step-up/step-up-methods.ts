import type { Factors, FactorMethod } from '../factors/read-factors.ts';

/** How somebody shows that it is still them. `sign_in`: only by signing in anew, the way they did. */
export type StepUpMethod = FactorMethod | 'password' | 'sign_in';

/**
 * How this person shows that it is still them: by a second factor when they have one, else by their
 * password.
 */
export function stepUpMethodsOf({ methods, hasPassword }: Factors): StepUpMethod[] {
  if (methods.length > 0) return methods;
  return hasPassword ? ['password'] : ['sign_in'];
}
