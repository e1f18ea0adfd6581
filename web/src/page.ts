import type { OwnPage } from './account-pages.ts';
import type { AdminPage } from './admin-pages.ts';
import type { BudgetView } from './budget-view.ts';
import type { CheckoutPage, CreditsPage } from './credits-pages.ts';
import type {
  BackupCodesPage,
  ChangeEmailPage,
  FactorNeededPage,
  MagicLinkPage,
  PasskeyCall,
  SecondFactorPage,
  SecurityPage,
  TotpSetUpPage,
} from './security-pages.ts';

/**
 * Every page of Obol, as plain JSON: what the server hands to the web app, which draws it in HTML and brings
 * it to life in the browser. Facts only; the words stand in texts.ts.
 *
 * Every form is a plain `method="post"` with the hidden fields of its `form` (the CSRF token among them) and
 * is answered by 303, or by the same page with a `problem`.
 */
export type Page =
  | SignInPage
  | RegisterPage
  | ConsentPage
  | BudgetPage
  | ChooseAccountPage
  | RequestAccessPage
  | AccessRequestsPage
  | DeviceCodePage
  | DeviceConfirmPage
  | DeviceDonePage
  | SignOutPage
  | SignedOutPage
  | ForgotPasswordPage
  | ResetPasswordPage
  | VerifyEmailPage
  | SecondFactorPage
  | FactorNeededPage
  | SecurityPage
  | TotpSetUpPage
  | BackupCodesPage
  | MagicLinkPage
  | ChangeEmailPage
  | CreditsPage
  | CheckoutPage
  | OwnPage
  | AdminPage
  | NoticePage
  | ErrorPage;

/** Where a form is sent, and what is sent along unseen: `csrf` and, where there is one, `token` or `xsrf`. */
export type Form = { action: string; hidden: Record<string, string> };

/** Why the form comes again. */
export type Problem = {
  /** A code of the table of errors, such as `auth.invalid_credentials`. */
  code: string;
  /** The name of the field that is wrong, when it is one. */
  field?: string;
  /** The server's own words for the field, for codes that have several reasons: "is too short". */
  detail?: string;
};

/** The application that somebody is on the way to. */
export type ApplicationView = {
  name: string;
  /** An https address; without one, a tile with the first letter stands in. */
  logoUrl: string | null;
  homeUrl: string | null;
  policyUrl: string | null;
  termsUrl: string | null;
  /** Whether the operator of this service has looked at it. */
  isVerified: boolean;
  /** The host that the answer goes to (`app.example`), null for an application on a device. */
  host: string | null;
};

/** The person who is signed in. */
export type AccountView = { email: string; name: string | null };

/** Another place at which to show who one is; `url` leads there and back. */
export type ProviderView = { name: string; label: string; url: string };

/** Fields: `email`, `password`; when `canCancel`, instead of both `decision=cancel`. */
export type SignInPage = {
  name: 'sign-in';
  form: Form;
  application: ApplicationView | null;
  /** Filled in, from `login_hint` or the try before. */
  email: string;
  /** `again`: the person is signed in but has to show that it is still them. */
  reason: 'first' | 'again';
  registerUrl: string | null;
  forgotPasswordUrl: string;
  providers: ProviderView[];
  canCancel: boolean;
  /** Signing in without a password; null where that is not offered. */
  passkey: PasskeyCall | null;
  problem: Problem | null;
};

/** Fields: `name` (may be empty), `email`, `password`, and with a `challenge` `proof`. */
export type RegisterPage = {
  name: 'register';
  form: Form;
  application: ApplicationView | null;
  email: string;
  /** The name typed in the try before. */
  typedName: string;
  signInUrl: string;
  /** What the browser has to work out first, and sends as `proof`; null when nothing is asked. */
  challenge: ChallengeView | null;
  providers: ProviderView[];
  problem: Problem | null;
};

/** A sum: see solve-challenge.ts. */
export type ChallengeView = { challenge: string; difficultyBits: number };

/** What an application asks for by name; `description` is needed for names that texts.ts does not know. */
export type ScopeView = { name: string; description?: string; isNew: boolean };

/**
 * Fields: `decision` (`allow`, `deny`, `other-account`), and with a budget `allowance` and `maxPerSpend`
 * (empty: no limit of its own), in credits. Both may be lowered only.
 */
export type ConsentPage = {
  name: 'consent';
  form: Form;
  application: ApplicationView;
  account: AccountView;
  scopes: ScopeView[];
  budget: BudgetView | null;
  /** Names of the APIs that the token is for, when they are not this service. */
  resources: string[];
  problem: Problem | null;
};

/**
 * What `raiseUrl` of a refusal opens. Fields: `decision` (`save`, `cancel`), `allowance`, `maxPerSpend`, in
 * credits. Without `current`, it is a first budget.
 */
export type BudgetPage = {
  name: 'budget';
  form: Form;
  application: ApplicationView;
  account: AccountView;
  /** `allowance` fills the field, `current` is what holds now. */
  budget: BudgetView;
  /** Units, as those of the budget. */
  used: number;
  /** ISO 8601; null for `total`. */
  resetsAt: string | null;
  isSaved: boolean;
  problem: Problem | null;
};

/** Fields: `decision` (`continue`, `other-account`, `cancel`). */
export type ChooseAccountPage = {
  name: 'choose-account';
  form: Form;
  application: ApplicationView | null;
  account: AccountView;
};

/**
 * Fields: `message`; `decision` (`request`, `other-account`, `cancel`, and while pending `look`: whether they
 * have answered).
 */
export type RequestAccessPage = {
  name: 'request-access';
  form: Form;
  application: ApplicationView;
  account: AccountView;
  /** `pending`: asked, not answered yet; `denied`: answered, and asking again is possible. */
  state: 'none' | 'pending' | 'denied';
  /** Why it was denied, in the words of the application's administrator. */
  reason: string | null;
  message: string;
  problem: Problem | null;
};

/**
 * What the administrators of applications decide on. Each request is a form with the fields `decision`
 * (`approve`, `deny`), `role`, and `reason` (may be empty).
 */
export type AccessRequestsPage = {
  name: 'access-requests';
  account: AccountView;
  /** Oldest first. */
  requests: AccessRequestView[];
  /** How many more are waiting. */
  moreCount: number;
  /** What has just been decided. */
  decided: 'approved' | 'denied' | null;
  /** Where to become somebody else. */
  signInUrl: string;
  problem: Problem | null;
};

export type AccessRequestView = {
  id: string;
  form: Form;
  applicationName: string;
  person: AccountView & { isEmailVerified: boolean };
  message: string | null;
  /** ISO 8601. */
  askedAt: string;
  /** All of the application; `defaultRole` is chosen unless somebody chooses. */
  roles: string[];
  defaultRole: string;
};

/** Field: `user_code`. */
export type DeviceCodePage = {
  name: 'device-code';
  form: Form;
  userCode: string;
  problem: Problem | null;
};

/** Fields: `decision` (`confirm`, `deny`). The consent page comes after it. */
export type DeviceConfirmPage = {
  name: 'device-confirm';
  form: Form;
  application: ApplicationView;
  userCode: string;
};

export type DeviceDonePage = {
  name: 'device-done';
  application: ApplicationView | null;
  outcome: 'connected' | 'denied';
};

/** Fields: `decision` (`sign-out`, `stay`). */
export type SignOutPage = {
  name: 'sign-out';
  form: Form;
  application: ApplicationView | null;
  account: AccountView | null;
};

export type SignedOutPage = { name: 'signed-out'; application: ApplicationView | null; signInUrl: string };

/** Field: `email`. `isSent`: the answer, the same whether or not the address has an account. */
export type ForgotPasswordPage = {
  name: 'forgot-password';
  form: Form;
  email: string;
  isSent: boolean;
  signInUrl: string | null;
  problem: Problem | null;
};

/** Field: `newPassword`. */
export type ResetPasswordPage = {
  name: 'reset-password';
  form: Form;
  isDone: boolean;
  signInUrl: string | null;
  forgotPasswordUrl: string;
  problem: Problem | null;
};

export type VerifyEmailPage = {
  name: 'verify-email';
  form: Form;
  isDone: boolean;
  signInUrl: string | null;
};

/** Good or neutral news without a form; the words of each `kind` are in texts.ts. */
export type NoticePage = {
  name: 'notice';
  kind: 'signed-in' | 'cookies-needed' | 'interaction-over' | 'close-window';
  application: ApplicationView | null;
  /** Where to go on, when there is somewhere to go. */
  continueUrl: string | null;
};

/** Words for the code where texts.ts has them, else `title` and `detail`. */
export type ErrorPage = {
  name: 'error';
  status: number;
  /** A code of the table of errors, or of RFC 6749 (`invalid_request`). */
  code: string;
  title?: string;
  detail?: string;
  requestId: string;
  /** For the developers of an application that sent a wrong request: what exactly was wrong. */
  forDevelopers?: string;
  links: ('forgot-password' | 'sign-in')[];
  /** Where the link to sign in leads, to come back from there; without it, to the page for that alone. */
  signInUrl?: string;
};
