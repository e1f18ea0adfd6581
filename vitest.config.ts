import { configDefaults, defineConfig } from 'vitest/config';
import { findChromium } from './server/test/browser/chromium.ts';

const browserTests = 'server/test/browser/**';
/**
 * What does not depend on whose PostgreSQL it is: what a browser shows, how the embedded one starts and
 * stops, how programs are called, what is checked of the sources, what guides and the API reference say, what
 * HTTP alone decides, how providers of payments are asked, what is read of files to import, and to which
 * addresses webhooks go.
 */
const sameEverywhere = [
  browserTests,
  'server/test/crash/{start-and-stop,payments}.test.ts',
  'server/test/{cli,tidy,audit-command,reconcile-command,users-command}.test.ts',
  'server/test/{guides,*-guide,api-examples,examples,readme,team-example,references,catalogue}.test.ts',
  'server/test/{openapi,currencies,cors,http,log,unnamed-members,payment-stand-in,alerts,fuzz}.test.ts',
  'server/test/{import,mutants}/**',
  'server/test/conformance/mutations.test.ts',
  'server/src/{lib,mail}/**',
  'server/src/http/pages/**',
  'server/src/domains/auth/import/mappings.test.ts',
  'server/src/domains/credits/scale.test.ts',
  'server/src/domains/payments/{stripe,paypal}/**',
  'server/src/domains/webhooks/delivery/{odd-answers,safe-addresses}.test.ts',
  'stand-in/**',
];
const left = [
  ...configDefaults.exclude,
  ...(findChromium() === undefined ? [browserTests] : []),
  ...(process.env.OBOL_TEST_BACKEND === 'debian' ? sameEverywhere : []),
];
/** These share one process for many files: loading the service anew for each takes a quarter of the time. */
const shared = ['server/src/**/*.test.ts', 'server/test/{contract,conformance,examples,schema}/**/*.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['server/test/harness/global-setup.ts'],
    setupFiles: ['server/test/harness/closed-network.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // What ends a test that hangs. A machine that is busy, or has just been set up, is many times slower.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    projects: [
      { extends: true, test: { name: 'shared', include: shared, exclude: left, isolate: false } },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['{server,bench,stand-in}/**/*.test.ts'],
          exclude: [...left, ...shared],
        },
      },
    ],
  },
});
