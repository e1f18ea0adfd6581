import type { Scenario } from '../lib/scenario.ts';
import { loginStorm } from './login-storm.ts';
import { readOverHttp } from './read-over-http.ts';
import { spendAlone, spendOverHttp } from './spend-over-http.ts';

/** Every scenario, in the order of the goals. */
export const scenarios: Scenario[] = [spendOverHttp, spendAlone, readOverHttp, loginStorm];
