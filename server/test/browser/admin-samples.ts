import type { PeoplePage, PersonPage, PersonRow } from '../../../web/src/admin-pages.ts';
import type { AccountView, Form } from '../../../web/src/page.ts';
import type { ShownPage } from '../../../web/src/shown-page.ts';

const form: Form = { action: '/sent', hidden: { csrf: 'csrf-token' } };
const account: AccountView = { name: 'Ada', email: 'ada@example.com' };
const createdAt = '2026-03-01T12:00:00.000Z';

const row: PersonRow = {
  id: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11',
  email: 'grace@example.com',
  name: 'Grace',
  isAdministrator: false,
  state: 'active',
  credits: 15_025,
  createdAt,
  url: '/admin/people/019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11',
};
const people: PeoplePage = {
  name: 'people',
  account,
  searchUrl: '/admin/people',
  search: '',
  show: 'everybody',
  people: [
    row,
    { ...row, id: '2', name: null, isAdministrator: true, state: 'deactivated', credits: 0 },
    {
      ...row,
      id: '3',
      name: null,
      email: 'a.person.with.quite.a.long.address@correspondence.some-company.example',
      state: 'banned',
    },
  ],
  total: 1_234_567,
  isEstimate: true,
  scale: 2,
  olderUrl: '/admin/people?cursor=older',
  newestUrl: '/admin/people',
};

const person: PersonPage = {
  name: 'person',
  person: {
    id: row.id,
    email: row.email,
    isEmailVerified: false,
    name: 'Grace',
    isAdministrator: false,
    state: 'active',
    ban: null,
    createdAt,
    credits: 15_025,
    debt: 50,
    scale: 2,
    devicesCount: 2,
  },
  events: [
    { id: '1', type: 'login.succeeded', ipAddress: '2001:0db8:85a3:0000:0000:8a2e:0370:7334', createdAt },
    { id: '2', type: 'impersonation.started', ipAddress: null, createdAt },
  ],
  actions: (['look', 'credits', 'role', 'sign-out', 'reset-factors', 'deactivate', 'ban'] as const).map(
    (action) => ({ action, form }),
  ),
  peopleUrl: '/admin/people',
  done: 'credits',
  refused: null,
};
const problem = {
  code: 'request.invalid',
  field: 'amount',
  detail: 'must be a number of credits other than 0',
};

/** The pages for administrators in each of their states, and one that they look at. */
export const adminSamples: Readonly<Record<string, ShownPage>> = {
  people,
  'people-looking': {
    ...people,
    looking: { email: 'grace@example.com', until: '2026-03-01T12:15:00.000Z', stop: form, isShown: false },
  },
  'people-none': { ...people, search: 'nobody', show: 'banned', people: [], total: 0, olderUrl: null },
  person,
  'person-refused': {
    ...person,
    done: null,
    refused: { action: 'credits', typed: { amount: '0', reason: 'Thank you', until: '' }, problem },
  },
  'person-last': {
    ...person,
    person: { ...person.person, isAdministrator: true, name: null },
    actions: person.actions.filter(({ action }) => action === 'credits' || action === 'role'),
    events: [],
    done: null,
    refused: { action: 'role', typed: {}, problem: { code: 'users.last_admin' } },
  },
  'person-banned': {
    ...person,
    person: {
      ...person.person,
      state: 'banned',
      ban: { reason: 'Sold access to others', until: '2026-12-24T00:00:00.000Z' },
    },
    actions: [{ action: 'reactivate', form }],
    done: 'ban',
  },
  looking: {
    name: 'devices',
    account: { name: 'Grace', email: 'grace@example.com' },
    devices: [
      {
        id: '1',
        device: null,
        isImpersonated: true,
        ipAddress: null,
        createdAt,
        lastUsedAt: createdAt,
        ending: null,
      },
      {
        id: '2',
        device: 'Firefox on Linux',
        isImpersonated: false,
        ipAddress: '198.51.100.7',
        createdAt,
        lastUsedAt: createdAt,
        ending: form,
      },
    ],
    endingOthers: form,
    done: null,
    looking: { email: 'grace@example.com', until: '2026-03-01T12:15:00.000Z', stop: form, isShown: true },
  },
};
