import type { Scenario } from '../lib/scenario.ts';
import { loginStorm } from './login-storm.ts';
import { readOverHttp } from './read-over-http.ts';
import { receiveWebhooks } from './receive-webhooks.ts';
import { signInToApp } from './sign-in-to-app.ts';
import { spendBesideExport } from './spend-beside-export.ts';
import { spendInProcess } from './spend-in-process.ts';
import { spendAlone, spendOverHttp } from './spend-over-http.ts';
import { spendThePlainWay } from './spend-the-plain-way.ts';
import { spendWithHistory } from './spend-with-history.ts';
import { startAndIdle } from './start-and-idle.ts';
import { verifyApiKeys } from './verify-api-keys.ts';

/** Every scenario, in the order of the goals. */
export const scenarios: Scenario[] = [
  spendInProcess,
  spendOverHttp,
  spendThePlainWay,
  spendAlone,
  spendWithHistory,
  spendBesideExport,
  readOverHttp,
  verifyApiKeys,
  loginStorm,
  receiveWebhooks,
  signInToApp,
  startAndIdle,
];
