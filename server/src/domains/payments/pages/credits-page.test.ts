import { beforeEach, describe, expect, test } from 'vitest';
import {
  expectPage,
  startTestProvider,
  TestBrowser,
  type ShownPage,
} from '../../../../test/harness/oauth.ts';
import { createTestProvider, deliver, pay } from '../../../../test/harness/payments.ts';
import { registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';
import { AppError } from '../../../errors.ts';

const [stripe, paypal] = [createTestProvider(), createTestProvider('paypal', true)];
const service = await startTestProvider({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '10' },
  paymentProviders: [stripe, paypal],
});
let person: Person;
let browser: TestBrowser;

beforeEach(async () => {
  person = await registerPerson(service);
  browser = new TestBrowser(service);
  stripe.failures.clear();
});

/** The page of somebody who signs in on the way to it. */
async function look(query = ''): Promise<ShownPage> {
  const shown = expectPageOf(await browser.open(`/credits${query}`));
  if (shown.page.name !== 'sign-in') return expectPage(shown, 'credits');
  return expectPage(await browser.submit(shown, person), 'credits');
}

function expectPageOf(shown: ShownPage | URL): ShownPage {
  if (shown instanceof URL) throw new Error(`the browser left for ${shown.href}`);
  return shown;
}

/** Sends one of the forms of a page. */
const submit = (shown: ShownPage, form: unknown, fields: Record<string, string> = {}) =>
  browser.submit({ ...shown, page: { form } }, fields);

async function buy(shown: ShownPage, fields: Record<string, string>): Promise<ShownPage> {
  return expectPage(await submit(shown, shown.page.shop.form, fields), 'checkout');
}

const tell = (provider: typeof stripe, facts: Parameters<typeof stripe.sign>[0]) =>
  deliver(service, provider, provider.sign(facts));

/** The facts of a page as it asks for them while it is open. */
async function refresh(page: any): Promise<any> {
  const response = await browser.request(page.refreshUrl);
  return { status: response.status, page: response.status === 200 ? await response.json() : null };
}

describe('the page', () => {
  test('shows what there is and what is for sale, to who is signed in', async () => {
    const { page, headers } = await look();
    expect(page).toMatchObject({
      account: { email: person.email },
      available: 10,
      free: 10,
      paid: 0,
      held: 0,
      debt: 0,
      scale: 0,
      need: null,
      arrival: null,
      purchases: [],
      moreCount: 0,
      subscription: null,
      problem: null,
      shop: { providers: ['stripe', 'paypal'], isTest: true },
    });
    expect(page.shop.packs[0]).toEqual({
      id: 'starter',
      name: expect.any(String),
      credits: 500,
      priceCents: 500,
      currency: 'EUR',
    });
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
  });

  test('remembers over signing in what somebody needs, and proposes the smallest pack that brings it', async () => {
    const { page } = await look('?need=501');
    expect(page.need).toMatchObject({ missing: 501, pack: { id: 'standard', credits: 1000 } });
    const exact = await look('?need=1000');
    expect(exact.page.need.pack.id).toBe('standard');
    const beyond = await look('?need=9007199254740991');
    expect(beyond.page.need).toEqual({ missing: 9007199254740991, pack: null });
  });

  test.each(['0', '-5', '1.5', 'many', '9007199254740993', '10000000000000000000'])(
    'takes %s for nothing that anybody needs',
    async (need) => {
      expect((await look(`?need=${need}`)).page.need).toBeNull();
    },
  );

  test('is where an app that was refused credits leads, one press from the checkout', async () => {
    const { accessToken: token } = await signIn(service, person);
    const spend = { amount: 700, appId: 'notes', description: 'A map' };
    const refused = await service.send('POST', '/api/v1/credits/use', { token, body: spend });
    expect(refused).toMatchObject({ status: 402, body: { required: 700, available: 10 } });
    const { checkoutUrl } = refused.body.topUp;
    expect(checkoutUrl).toBe(`${service.issuer}/credits?need=690`);
    const shown = await look(new URL(checkoutUrl).search);
    const leading = await buy(shown, { packageId: shown.page.need.pack.id, decision: 'stripe' });
    expect(leading.page.url).toMatch(/^https:\/\/pay\.example\.com\/cs_/);
  });

  test('names a hold that was refused what is missing, too', async () => {
    const { accessToken: token } = await signIn(service, person);
    const hold = { amount: 11, appId: 'notes', description: 'A map' };
    const refused = await service.send('POST', '/api/v1/credits/holds', { token, body: hold });
    expect(refused.body.topUp.checkoutUrl).toBe(`${service.issuer}/credits?need=1`);
  });
});

describe('buying', () => {
  test('leads on to the checkout without a redirect, and shows the credits once they are paid', async () => {
    const leading = await buy(await look(), { packageId: 'standard', decision: 'stripe' });
    expect(leading.headers.get('refresh')).toBe(`0; url=${leading.page.url}`);
    expect(leading.page.host).toBe('pay.example.com');
    const checkoutId = new URL(leading.page.url).pathname.slice(1);
    const back = await look(`?purchase=${checkoutId.slice(3)}`);
    expect(back.page.arrival).toMatchObject({ state: 'waiting', title: 'Standard', credits: 1000 });
    expect(back.page.purchases).toMatchObject([{ status: 'pending', checkoutUrl: leading.page.url }]);
    await tell(stripe, [pay(stripe, checkoutId)]);
    const { page } = await refresh(back.page);
    expect(page).toMatchObject({ available: 1010, paid: 1000, arrival: { state: 'arrived', credits: 1000 } });
    expect(page.purchases).toMatchObject([{ status: 'completed', checkoutUrl: null }]);
    service.clock.advance({ minutes: 61 });
    expect((await refresh(back.page)).page.arrival).toBeNull();
  });

  test('says so when nothing was paid, and leads to the checkout after all', async () => {
    const { page } = await buy(await look(), { packageId: 'standard', decision: 'stripe' });
    const id = new URL(page.url).pathname.slice(4);
    const back = await look(`?purchase=${id}&cancelled=true`);
    expect(back.page.arrival).toMatchObject({ state: 'cancelled', checkoutUrl: page.url });
    const checkout = stripe.checkouts.get(`cs_${id}`);
    await tell(stripe, [{ ...checkout!, status: 'failed' }]);
    expect((await look(`?purchase=${id}`)).page.arrival).toMatchObject({
      state: 'failed',
      checkoutUrl: null,
    });
  });

  test('with a form that is sent twice is one purchase; of another page it is another', async () => {
    const shown = await look();
    const fields = { packageId: 'standard', decision: 'stripe' };
    const [first, again] = [await buy(shown, fields), await buy(shown, fields)];
    expect(again.page.url).toBe(first.page.url);
    const other = await buy(shown, { ...fields, packageId: 'starter' });
    const next = await buy(await look(), fields);
    expect(new Set([first, other, next].map(({ page }) => page.url)).size).toBe(3);
  });

  test('shows the page again with why nothing was bought', async () => {
    stripe.failures.set('openCheckout', new AppError('payments.provider_unavailable'));
    const shown = await look();
    const unavailable = expectPage(
      await submit(shown, shown.page.shop.form, { packageId: 'standard', decision: 'stripe' }),
      'credits',
    );
    expect([unavailable.status, unavailable.page.problem]).toEqual([
      503,
      { code: 'payments.provider_unavailable' },
    ]);
    const unknown = expectPage(await submit(shown, shown.page.shop.form, { packageId: 'none' }), 'credits');
    expect(unknown.page.problem).toEqual({ code: 'payments.package_unavailable' });
  });

  test.each([
    [{ packageId: 'standard', decision: 'barter' }, 400, 'request.invalid'],
    [{ packageId: '' }, 400, 'request.invalid'],
    [{ packageId: 'standard', key: 'short' }, 400, 'request.invalid'],
    [{ packageId: 'standard', csrf: 'x'.repeat(43) }, 403, 'request.csrf'],
  ])('refuses a form with %j', async (fields, status, code) => {
    const shown = await look();
    const refused = expectPage(await submit(shown, shown.page.shop.form, fields), 'error');
    expect([refused.status, refused.page.code]).toEqual([status, code]);
  });

  test('takes a session that still lives; nothing is told to who has none', async () => {
    const shown = await look();
    browser.cookies.delete('__Host-obol_session');
    const refused = expectPage(await submit(shown, shown.page.shop.form, { packageId: 'standard' }), 'error');
    expect([refused.status, refused.page.code]).toEqual([401, 'auth.session_ended']);
    expect(refused.text).toContain('href="/sign-in?next=%2Fcredits"');
    expect(await refresh(shown.page)).toEqual({ status: 401, page: null });
  });

  test('shows nobody the purchase of somebody else', async () => {
    const { page } = await buy(await look(), { packageId: 'standard', decision: 'stripe' });
    const id = new URL(page.url).pathname.slice(4);
    person = await registerPerson(service);
    browser = new TestBrowser(service);
    expect((await look(`?purchase=${id}`)).page.arrival).toBeNull();
    expect((await look('?purchase=nonsense&subscription=nonsense')).page.arrival).toBeNull();
  });
});

describe('after buying', () => {
  test('a refund is asked for with a reason, once', async () => {
    const { page } = await buy(await look(), { packageId: 'standard', decision: 'stripe' });
    const checkoutId = new URL(page.url).pathname.slice(1);
    await tell(stripe, [pay(stripe, checkoutId)]);
    const shown = await look();
    const { refund } = shown.page.purchases[0];
    const silent = expectPage(await submit(shown, refund, { reason: '' }), 'error');
    expect([silent.status, silent.page.code]).toEqual([400, 'request.invalid']);
    const asked = expectPage(await submit(shown, refund, { reason: 'By mistake' }), 'credits');
    expect(asked.page).toMatchObject({ available: 10, done: 'refund-asked' });
    expect(asked.page.purchases).toMatchObject([{ isRefundAsked: true, refund: null }]);
    const again = expectPage(await submit(shown, refund, { reason: 'By mistake' }), 'credits');
    expect(again.page.problem).toEqual({ code: 'payments.refund_open' });
  });

  test('the purchase of somebody else is not refunded', async () => {
    const { page } = await buy(await look(), { packageId: 'standard', decision: 'stripe' });
    const checkoutId = new URL(page.url).pathname.slice(1);
    await tell(stripe, [pay(stripe, checkoutId)]);
    const { refund } = (await look()).page.purchases[0];
    person = await registerPerson(service);
    browser = new TestBrowser(service);
    const shown = await look();
    const form = { ...refund, hidden: shown.page.shop.form.hidden };
    const refused = expectPage(await submit(shown, form, { reason: 'Mine' }), 'error');
    expect([refused.status, refused.page.code]).toEqual([404, 'request.not_found']);
  });

  test('automatic top-ups take a card that was kept', async () => {
    const shown = await look();
    expect(shown.page.topUp).toMatchObject({ status: 'off', end: null, currency: 'EUR' });
    const fields = { packageId: 'standard', threshold: '100', monthlyCap: '50' };
    const refused = expectPage(await submit(shown, shown.page.topUp.form, fields), 'credits');
    expect(refused.page.problem).toEqual({ code: 'payments.no_saved_card' });
    const nothing = await submit(shown, shown.page.topUp.form, { ...fields, packageId: '' });
    expect(expectPage(nothing, 'error').status).toBe(400);
  });

  test.each([
    ['threshold', '0'],
    ['threshold', '1.5'],
    ['threshold', '1e3'],
    ['monthlyCap', ''],
    ['monthlyCap', '1000000'],
  ])('automatic top-ups with %s %j come again as they were typed', async (field, text) => {
    const shown = await look();
    const fields = { packageId: 'large', threshold: '70', monthlyCap: '90', [field]: text };
    const refused = expectPage(await submit(shown, shown.page.topUp.form, fields), 'credits');
    expect([refused.status, refused.page.problem]).toEqual([
      400,
      { code: 'request.invalid', field, detail: 'must be a whole number from 1 to 999999' },
    ]);
    expect(refused.page.topUp.typed).toEqual({ ...fields, isAgain: true });
  });

  test('automatic top-ups take a recent sign-in, from which one comes back', async () => {
    const fields = { packageId: 'standard', threshold: '100', monthlyCap: '50' };
    const shown = await look();
    service.clock.advance({ hours: 1 });
    const asked = expectPage(await submit(shown, shown.page.topUp.form, fields), 'second-factor');
    expect(asked.page.reason).toBe('again');
    const back = expectPage(await browser.submit(asked, { password: person.password }), 'credits');
    const refused = expectPage(await submit(back, back.page.topUp.form, fields), 'credits');
    expect(refused.page.problem).toEqual({ code: 'payments.no_saved_card' });
  });
});
