import { configDefaults, defineConfig } from 'vitest/config';
import { findChromium } from './server/test/browser/chromium.ts';

const browserTests = 'server/test/browser/**';
/** The look of the pages does not depend on the database; `npm test` runs everything on two. */
const lookTests = 'server/test/browser/pages.test.ts';
const left = [
  ...(findChromium() === undefined ? [browserTests] : []),
  ...(process.env.OBOL_TEST_BACKEND === 'debian' ? [lookTests] : []),
];

export default defineConfig({
  test: {
    include: ['server/**/*.test.ts', 'bench/**/*.test.ts', 'stand-in/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...left],
    globalSetup: ['server/test/harness/global-setup.ts'],
    setupFiles: ['server/test/harness/closed-network.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // What ends a test that hangs. A machine that is busy, or has just been set up, is many times slower.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
