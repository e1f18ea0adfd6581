import { expect, test } from 'vitest';
import { type ConfigError, loadConfig } from './config.ts';

/** What is said against these settings of PayPal, and of Stripe. */
const problemsOf = (env: Record<string, string>): string[] => {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems.filter((problem) => /^(PAYPAL|STRIPE)_/.test(problem));
  }
};
const keys = {
  PAYPAL_CLIENT_ID: 'client',
  PAYPAL_CLIENT_SECRET: 'secret',
  PAYPAL_WEBHOOK_ID: '1JE4291016473214C',
};
const standIn = {
  PAYPAL_API_BASE: 'http://localhost:4010',
  PAYPAL_CERTIFICATE_ORIGIN: 'http://localhost:4010',
  PAYPAL_CERTIFICATE_AUTHORITY: '-----BEGIN CERTIFICATE-----',
};
const production = { NODE_ENV: 'production' };

test('PayPal is set up by its keys, all of them', () => {
  expect(problemsOf({})).toEqual([]);
  expect(problemsOf(keys)).toEqual([]);
  expect(problemsOf({ PAYPAL_CLIENT_ID: 'client' })).toHaveLength(2);
  expect(problemsOf({ ...keys, PAYPAL_WEBHOOK_ID: 'https://obol.example.com' })).toHaveLength(1);
  expect(problemsOf({ ...keys, PAYPAL_MERCHANT_ID: '7KGAJ3Y9R5LJE' })).toEqual([]);
  expect(problemsOf({ ...keys, PAYPAL_MERCHANT_ID: 'shop@example.com' })).toHaveLength(1);
  expect(problemsOf({ PAYPAL_WEBHOOK_TOLERANCE: '4d' })).toHaveLength(1);
  expect(problemsOf({ PAYPAL_WEBHOOK_TOLERANCE: '0' })).toHaveLength(1);
});

test('a stand-in for PayPal counts in development, never in production', () => {
  expect(problemsOf({ ...keys, ...standIn })).toEqual([]);
  expect(problemsOf({ ...production, ...keys })).toEqual([]);
  expect(problemsOf({ ...production, ...keys, ...standIn })).toHaveLength(3);
  for (const base of [
    'https://api-m.paypal.com.evil.example',
    'http://api-m.paypal.com',
    'https://evil.example',
  ])
    expect(problemsOf({ ...production, ...keys, PAYPAL_API_BASE: base })).toHaveLength(1);
});

test('in production nobody gets credits for the money of a sandbox, unless that is wanted', () => {
  const sandbox = { ...keys, PAYPAL_API_BASE: 'https://api-m.sandbox.paypal.com/' };
  expect(problemsOf({ ...production, ...sandbox })).toEqual([
    expect.stringContaining('PAYPAL_API_BASE: in the sandbox nobody pays real money'),
  ]);
  expect(problemsOf({ ...production, ...sandbox, PAYMENTS_TEST_MODE: 'true' })).toEqual([]);
  expect(problemsOf(sandbox)).toEqual([]);
  const unused = { ...production, PAYPAL_API_BASE: sandbox.PAYPAL_API_BASE };
  expect(problemsOf(unused)).toEqual([]);
  for (const key of ['sk_test_abc', 'rk_test_abc']) {
    const stripe = { STRIPE_SECRET_KEY: key, STRIPE_WEBHOOK_SECRET: 'whsec_abc' };
    expect(problemsOf({ ...production, ...stripe })).toEqual([
      expect.stringContaining('STRIPE_SECRET_KEY: this is a test key'),
    ]);
    expect(problemsOf({ ...production, ...stripe, PAYMENTS_TEST_MODE: 'true' })).toEqual([]);
    expect(problemsOf(stripe)).toEqual([]);
    expect(problemsOf({ ...production, ...stripe, STRIPE_SECRET_KEY: 'rk_live_test' })).toEqual([]);
  }
});
