import type {
  AppsPage,
  ConnectedPage,
  DeviceRow,
  EventRow,
  EventsPage,
  KeyRow,
  KeysPage,
} from '../../../web/src/account-pages.ts';
import type { AccountView, Form, Page } from '../../../web/src/page.ts';

const form: Form = { action: '/sent', hidden: { csrf: 'csrf-token' } };
const account: AccountView = { name: 'Ada', email: 'ada@example.com' };
const createdAt = '2026-03-01T12:00:00.000Z';
const lastUsedAt = '2026-03-02T08:30:00.000Z';

const here: DeviceRow = {
  id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d51',
  device: 'Firefox on Linux',
  isImpersonated: false,
  ipAddress: '198.51.100.7',
  createdAt,
  lastUsedAt,
  ending: null,
};
const elsewhere: DeviceRow = {
  ...here,
  id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d52',
  device: null,
  ipAddress: '2001:0db8:85a3:0000:0000:8a2e:0370:7334',
  ending: form,
};

const event: EventRow = {
  id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d81',
  type: 'login.new_device',
  about: null,
  device: 'Firefox on Linux',
  ipAddress: '198.51.100.7',
  createdAt,
};
const events: EventsPage = {
  name: 'events',
  account,
  events: [
    event,
    {
      ...event,
      id: '2',
      type: 'impersonation.started',
      about: 'The invoice of March looks wrong: nineteen credits are missing from it',
      device: null,
      ipAddress: null,
    },
    { ...event, id: '3', type: 'orchid.repotted', ipAddress: '2001:0db8:85a3:0000:0000:8a2e:0370:7334' },
  ],
  olderUrl: '/account/events?before=3',
  newestUrl: '/account/events',
};

const connected: ConnectedPage = {
  name: 'connected',
  account,
  connected: [
    { id: '1', provider: 'Google', email: 'ada@example.com', createdAt, lastUsedAt, removal: form },
    {
      id: '2',
      provider: 'https://sign-in.correspondence.some-company.example',
      email: null,
      createdAt,
      lastUsedAt,
      removal: form,
    },
  ],
  offers: [
    { provider: 'Google', form },
    { provider: 'The company', form },
  ],
  done: 'connected',
  problem: null,
};

const key: KeyRow = {
  id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d61',
  name: 'Nightly import',
  start: 'obol_sk_4fJx',
  lastFour: '9QaZ',
  scopes: ['profile', 'credits:read'],
  createdAt,
  lastUsedAt,
  expiresAt: '2026-06-01T12:00:00.000Z',
  isExpired: false,
  removal: form,
};

const keys: KeysPage = {
  name: 'keys',
  account,
  keys: [],
  form,
  scopes: ['profile', 'credits:read', 'credits:spend'],
  typed: { keyName: '', lifetime: '90', scopes: ['profile', 'credits:read'] },
  done: null,
  problem: null,
};

const apps: AppsPage = {
  name: 'apps',
  account,
  apps: [
    {
      id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d71',
      appName: 'Atlas',
      scopes: ['openid', 'credits:spend'],
      budgetUrl: '/mandates/019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d72',
      firstUsedAt: createdAt,
      lastUsedAt,
      removal: form,
    },
    {
      id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d73',
      appName: 'Kettle & Sons Telegraph Notebook',
      scopes: ['openid', 'telegraph:send'],
      budgetUrl: null,
      firstUsedAt: createdAt,
      lastUsedAt: null,
      removal: form,
    },
  ],
  moreCount: 2,
  done: 'app-removed',
};

/** The pages of one's own account in each of their states. */
export const accountSamples: Readonly<Record<string, Page>> = {
  account: {
    name: 'account',
    account,
    isOwn: true,
    waitingCount: 0,
    hasElsewhere: false,
    peopleUrl: null,
    exportUrl: '/account/export',
  },
  'account-waiting': {
    name: 'account',
    account: {
      name: null,
      email: 'a.person.with.quite.a.long.address@correspondence.some-company.example',
    },
    isOwn: true,
    waitingCount: 3,
    hasElsewhere: true,
    peopleUrl: '/admin/people',
    exportUrl: '/account/export',
  },
  devices: { name: 'devices', account, devices: [here], endingOthers: null, done: 'others-ended' },
  'devices-several': {
    name: 'devices',
    account,
    devices: [here, elsewhere, { ...elsewhere, id: '3', isImpersonated: true }],
    endingOthers: form,
    done: null,
  },
  events,
  'events-none': { ...events, events: [], olderUrl: null },
  connected,
  'connected-refused': { ...connected, done: null, problem: { code: 'auth.last_way_in' } },
  'connected-none': { ...connected, connected: [], done: null },
  connect: {
    name: 'connect',
    provider: 'The company',
    url: '/api/v1/auth/social/company?ticket=one-time',
    cancelUrl: '/account/connected',
  },
  keys,
  'keys-several': {
    ...keys,
    keys: [
      key,
      { ...key, id: '2', name: 'x'.repeat(100), lastUsedAt: null, expiresAt: null, scopes: keys.scopes },
      { ...key, id: '3', name: 'Old', isExpired: true },
    ],
    done: 'key-revoked',
  },
  'keys-refused': {
    ...keys,
    typed: { keyName: 'Nightly import', lifetime: '365', scopes: [] },
    problem: { code: 'request.invalid', field: 'scopes', detail: 'must name one at least' },
  },
  'key-made': {
    name: 'key-made',
    keyName: 'Nightly import',
    key: 'obol_sk_4fJx0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP9QaZ',
    continueUrl: '/account/keys',
  },
  apps,
  'apps-none': { ...apps, apps: [], moreCount: 0, done: null },
};
