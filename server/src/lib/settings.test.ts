import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../config.ts';

const problemsOf = (env: Record<string, string>): string[] => {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};

test('origins are read in their one spelling', () => {
  const { corsOrigins } = loadConfig({ CORS_ORIGINS: 'https://App.Example.com/, http://localhost:5173,' });
  expect(corsOrigins).toEqual(['https://app.example.com', 'http://localhost:5173']);
});

test.each([
  '*',
  'app.example.com',
  'https://app.example.com/path',
  'https://a@b.example',
  'file:///x',
  'null',
])('%s is not an origin', (text) => {
  expect(problemsOf({ CORS_ORIGINS: text })).toEqual([
    `CORS_ORIGINS: expected origins such as https://app.example.com, got "${text}".`,
  ]);
});

test('proxies are addresses, ranges or named ranges', () => {
  const { trustProxy } = loadConfig({ TRUST_PROXY: '10.0.0.0/8, 192.0.2.1, 2001:db8::/32, loopback' });
  expect(trustProxy).toEqual(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', 'loopback']);
});

test.each(['true', '1', '*', '10.0.0.0/33', '10.0.0/8', '::/129', '10.0.0.0/8/8', 'proxy.example.com'])(
  '%s is not a proxy that could be trusted',
  (text) => {
    expect(problemsOf({ TRUST_PROXY: text })).toEqual([
      `TRUST_PROXY: expected addresses or ranges such as 10.0.0.0/8, got "${text}".`,
    ]);
  },
);

test.each(['prod', 'Production', 'staging'])('NODE_ENV=%s does not start as development', (text) => {
  expect(problemsOf({ NODE_ENV: text })).toEqual([
    `NODE_ENV: expected development, test, production, got "${text}".`,
  ]);
});

test('a choice may be empty where that is its default', () => {
  expect(loadConfig({ LOG_FORMAT: '', NODE_ENV: '' })).toMatchObject({
    logFormat: '',
    nodeEnv: 'development',
    isProduction: false,
  });
  expect(problemsOf({ LOG_FORMAT: 'xml', LOG_LEVEL: 'loud' })).toHaveLength(2);
});
