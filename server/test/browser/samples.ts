import { accountSamples } from './account-samples.ts';
import { adminSamples } from './admin-samples.ts';
import { creditsSamples } from './credits-samples.ts';
import type { ShownPage } from '../../../web/src/shown-page.ts';
import type { BudgetTerms, BudgetView } from '../../../web/src/budget-view.ts';
import type { AccountView, ApplicationView, BudgetPage, Form, Page } from '../../../web/src/page.ts';

/** The address of the one logo; whoever opens the gallery answers it. */
export const logoUrl = 'https://static.atlas.example/logo.svg';

const form: Form = { action: '/sent', hidden: { csrf: 'csrf-token' } };

const application: ApplicationView = {
  name: 'Atlas',
  logoUrl,
  homeUrl: 'https://atlas.example/',
  policyUrl: 'https://atlas.example/privacy',
  termsUrl: 'https://atlas.example/terms',
  isVerified: true,
  host: 'atlas.example',
};

const bareApplication: ApplicationView = {
  name: 'Kettle & Sons Telegraph Notebook',
  logoUrl: null,
  homeUrl: null,
  policyUrl: null,
  termsUrl: null,
  isVerified: false,
  host: 'notebook.kettle-and-sons.example',
};

const account: AccountView = { name: 'Ada', email: 'ada@example.com' };
const longAccount: AccountView = {
  name: null,
  email: 'a.person.with.quite.a.long.address@correspondence.some-company.example',
};

const terms: BudgetTerms = { allowance: 500, period: 'month', maxPerSpend: 50, kinds: ['free', 'paid'] };

const budget: BudgetView = {
  ...terms,
  current: null,
  scale: 0,
  creditsPerEur: 100,
  typed: null,
};

const signIn = {
  name: 'sign-in',
  form,
  application: null,
  email: '',
  reason: 'first',
  registerUrl: '/register',
  forgotPasswordUrl: '/forgot-password',
  providers: [],
  canCancel: false,
  passkey: { form, options: { challenge: 'SZYN5YgOjGh0NBcPZHZgW4' } },
  problem: null,
} as const satisfies Page;

const secondFactor = {
  name: 'second-factor',
  form,
  application: null,
  reason: 'sign-in',
  methods: ['totp', 'passkey', 'backup_code'],
  passkey: signIn.passkey,
  canRemember: true,
  backUrl: '/sign-in',
  problem: null,
} satisfies Page;

const security = {
  name: 'security',
  account: { name: 'Ada', email: 'ada@example.com' },
  setUp: form,
  removal: null,
  passkeys: [],
  addition: {
    form,
    options: {
      challenge: 'SZYN5YgOjGh0NBcPZHZgW4',
      rp: { name: 'Obol' },
      user: { id: 'MDE5Y2E5ZjI', name: 'ada@example.com', displayName: 'Ada' },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
    },
  },
  backupCodesLeft: 0,
  renewal: null,
  rememberedCount: 0,
  forgetting: form,
  done: null,
  continueUrl: null,
  problem: null,
} satisfies Page;

const register = {
  name: 'register',
  form,
  application: null,
  email: '',
  typedName: '',
  signInUrl: '/sign-in',
  challenge: null,
  providers: [],
  problem: null,
} as const satisfies Page;

const consent: Page = {
  name: 'consent',
  form,
  application,
  account,
  scopes: [
    { name: 'openid', isNew: true },
    { name: 'profile', isNew: true },
    { name: 'email', isNew: true },
    { name: 'offline_access', isNew: true },
    { name: 'credits:spend', isNew: true },
  ],
  budget,
  resources: [],
  problem: null,
};

const requestAccess: Page = {
  name: 'request-access',
  form,
  application,
  account,
  state: 'none',
  reason: null,
  message: '',
  problem: null,
};

const accessRequests = {
  name: 'access-requests',
  account,
  requests: [
    {
      id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d21',
      form,
      applicationName: 'Atlas',
      person: { name: 'Alice', email: 'alice@example.com', isEmailVerified: true },
      message: 'I draw the river maps.\nAda told me to ask here.',
      askedAt: '2026-03-01T12:00:00.000Z',
      roles: ['reader', 'editor', 'admin'],
      defaultRole: 'reader',
    },
    {
      id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d22',
      form,
      applicationName: bareApplication.name,
      person: { ...longAccount, isEmailVerified: false },
      message: null,
      askedAt: '2026-03-02T08:30:00.000Z',
      roles: ['user', 'admin'],
      defaultRole: 'user',
    },
  ],
  moreCount: 3,
  decided: null,
  signInUrl: '/sign-in?next=%2Faccess-requests',
  problem: null,
} satisfies Page;

const budgetPage: BudgetPage = {
  name: 'budget',
  form,
  application,
  account,
  budget: { ...budget, allowance: 1000, maxPerSpend: null, current: { ...terms, status: 'active' } },
  used: 486,
  resetsAt: '2026-04-01T00:00:00.000Z',
  isSaved: false,
  problem: null,
};

const resetPassword: Page = {
  name: 'reset-password',
  form,
  isDone: false,
  signInUrl: '/sign-in',
  forgotPasswordUrl: '/forgot-password',
  problem: null,
};

const forgotPassword: Page = {
  name: 'forgot-password',
  form,
  email: '',
  isSent: false,
  signInUrl: '/sign-in',
  problem: null,
};

const error: Page = {
  name: 'error',
  status: 400,
  code: 'auth.link_invalid',
  requestId: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d13',
  links: ['forgot-password'],
};

/** Every page in each of its states: what tests look at, and what is photographed. */
export const samples: Readonly<Record<string, ShownPage>> = {
  'sign-in': signIn,
  'sign-in-app': { ...signIn, application, email: 'ada@example.com', canCancel: true },
  'sign-in-refused': {
    ...signIn,
    application: bareApplication,
    email: 'ada@example.com',
    problem: { code: 'auth.invalid_credentials' },
  },
  'sign-in-providers': {
    ...signIn,
    application,
    providers: [
      { name: 'google', label: 'Google', url: '/sign-in/with/google' },
      { name: 'apple', label: 'Apple', url: '/sign-in/with/apple' },
      { name: 'kettle', label: 'Kettle & Sons Correspondence Directory', url: '/sign-in/with/kettle' },
    ],
    problem: { code: 'auth.upstream_denied' },
  },
  'sign-in-again': { ...signIn, application, email: account.email, reason: 'again', registerUrl: null },
  'second-factor': secondFactor,
  'second-factor-passkey': { ...secondFactor, methods: ['passkey'], application, reason: 'app' },
  'second-factor-refused': { ...secondFactor, problem: { code: 'auth.code_wrong', field: 'code' } },
  'step-up': { ...secondFactor, reason: 'again', methods: ['password'], passkey: null, canRemember: false },
  'factor-needed': {
    name: 'factor-needed',
    form,
    application,
    setUpUrl: '/account/security',
  },
  security,
  'security-on': {
    ...security,
    setUp: null,
    removal: form,
    passkeys: [
      {
        id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d31',
        name: "Ada's phone",
        createdAt: '2026-03-01T12:00:00.000Z',
        lastUsedAt: '2026-03-02T08:30:00.000Z',
        removal: form,
      },
    ],
    backupCodesLeft: 9,
    renewal: form,
    rememberedCount: 2,
    done: 'passkey-added',
    continueUrl: '/sign-in',
  },
  'security-refused': {
    ...security,
    setUp: null,
    removal: form,
    renewal: form,
    problem: { code: 'auth.password_wrong', field: 'password' },
  },
  'totp-set-up': {
    name: 'totp-set-up',
    form,
    qrCode: { size: 9, path: 'M1 1h3v3h-3zM5 1h3v3h-3zM1 5h3v3h-3zM6 6h1v1h-1z' },
    secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
    cancelUrl: '/account/security',
    problem: null,
  },
  'backup-codes': {
    name: 'backup-codes',
    codes: Array.from({ length: 10 }, (_, index) => `7k2m-x9qd-0w4r-p5t${index}`),
    continueUrl: '/account/security',
  },
  'magic-link': { name: 'magic-link', form },
  'change-email': { name: 'change-email', form, isDone: false },
  'change-email-done': { name: 'change-email', form, isDone: true },
  register,
  'register-refused': {
    ...register,
    application,
    email: 'ada@example.com',
    typedName: 'Ada',
    problem: {
      code: 'auth.password_unacceptable',
      field: 'password',
      detail: 'is one of the most common passwords, which are tried first',
    },
  },
  'register-taken': {
    ...register,
    email: 'ada@example.com',
    problem: { code: 'users.email_taken', field: 'email' },
  },
  consent,
  'consent-plain': { ...consent, scopes: consent.scopes.slice(0, 3), budget: null },
  'consent-unverified': {
    ...consent,
    application: bareApplication,
    account: longAccount,
    scopes: [
      { name: 'openid', isNew: false },
      { name: 'notes:write', description: 'Write into your notebooks', isNew: true },
      { name: 'telegraph:send', isNew: true },
    ],
    budget: {
      ...budget,
      allowance: 12_500,
      maxPerSpend: null,
      kinds: ['free'],
      current: { allowance: 2000, period: 'total', maxPerSpend: 150, kinds: ['paid'], status: 'paused' },
      typed: { allowance: '12501', maxPerSpend: '200' },
    },
    resources: ['https://api.notebook.kettle-and-sons.example'],
    problem: {
      code: 'request.invalid',
      field: 'allowance',
      detail: 'must be a whole number from 1 to 12500',
    },
  },
  budget: budgetPage,
  'budget-fractions': {
    ...budgetPage,
    budget: {
      ...budgetPage.budget,
      allowance: 5_250_000,
      maxPerSpend: 500_000,
      current: { ...terms, allowance: 2_500_000, maxPerSpend: null, status: 'active' },
      scale: 6,
      creditsPerEur: 100_000_000,
    },
    used: 486_000,
  },
  'budget-saved': { ...budgetPage, isSaved: true },
  'budget-first': {
    ...budgetPage,
    application: bareApplication,
    budget: { ...budget, allowance: 100, maxPerSpend: null },
    used: 0,
    resetsAt: null,
  },
  'choose-account': { name: 'choose-account', form, application, account },
  'request-access': requestAccess,
  'request-access-pending': { ...requestAccess, state: 'pending' },
  'request-access-denied': {
    ...requestAccess,
    state: 'denied',
    reason: 'Please write from your work address.',
  },
  'access-requests': accessRequests,
  'access-requests-refused': {
    ...accessRequests,
    requests: accessRequests.requests.slice(0, 1),
    moreCount: 0,
    problem: { code: 'access.request_decided' },
  },
  'access-requests-none': { ...accessRequests, requests: [], moreCount: 0, decided: 'approved' },
  'device-code': { name: 'device-code', form, userCode: '', problem: null },
  'device-code-unknown': {
    name: 'device-code',
    form,
    userCode: 'WDJB-MJHT',
    problem: { code: 'device.code_unknown', field: 'user_code' },
  },
  'device-confirm': { name: 'device-confirm', form, application, userCode: 'WDJB-MJHT' },
  'device-done': { name: 'device-done', application, outcome: 'connected' },
  'device-denied': { name: 'device-done', application: null, outcome: 'denied' },
  'sign-out': { name: 'sign-out', form, application, account },
  'signed-out': { name: 'signed-out', application: null, signInUrl: '/sign-in' },
  'signed-out-app': { name: 'signed-out', application, signInUrl: '/sign-in' },
  'forgot-password': forgotPassword,
  'forgot-password-sent': { ...forgotPassword, isSent: true },
  'reset-password': resetPassword,
  'reset-password-refused': {
    ...resetPassword,
    problem: {
      code: 'auth.password_unacceptable',
      field: 'newPassword',
      detail: 'must have at least 8 characters',
    },
  },
  'reset-password-done': { ...resetPassword, isDone: true },
  'verify-email': { name: 'verify-email', form, isDone: false, signInUrl: null },
  'verify-email-done': { name: 'verify-email', form, isDone: true, signInUrl: '/sign-in' },
  ...creditsSamples,
  ...accountSamples,
  ...adminSamples,
  'notice-signed-in-here': { name: 'notice', kind: 'signed-in', application: null, continueUrl: null },
  'notice-signed-in': {
    name: 'notice',
    kind: 'signed-in',
    application,
    continueUrl: 'https://atlas.example/',
  },
  'notice-cookies': { name: 'notice', kind: 'cookies-needed', application: null, continueUrl: null },
  'notice-over': { name: 'notice', kind: 'interaction-over', application: null, continueUrl: null },
  'error-link': error,
  'error-signed-out': {
    ...error,
    status: 401,
    code: 'auth.session_ended',
    links: ['sign-in'],
    signInUrl: '/sign-in?next=%2Fcredits',
  },
  'error-request': {
    ...error,
    code: 'invalid_redirect_uri',
    links: [],
    forDevelopers: 'redirect_uri https://atlas.example/callbak is not registered for this client',
  },
  'error-server': { ...error, status: 500, code: 'server.internal', links: [] },
};
