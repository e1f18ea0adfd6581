import { expect, test } from 'vitest';
import { type ConfigError, loadConfig } from './config.ts';

/** What is said against these settings of PayPal. */
const problemsOf = (env: Record<string, string>): string[] => {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems.filter((problem) => problem.startsWith('PAYPAL_'));
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
  expect(
    problemsOf({ ...production, ...keys, PAYPAL_API_BASE: 'https://api-m.sandbox.paypal.com/' }),
  ).toEqual([]);
});
