import { perform } from './compare.ts';
import * as consent from './play-consent.ts';
import * as moving from './play-moving.ts';
import * as questions from './play-questions.ts';
import * as spending from './play-spending.ts';
import type { Step, StepOf } from './steps.ts';
import { nowOf, pick, type World } from './world.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Sessions, tokens and the latest jump must stay within a year. */
const lastMs = 300 * dayMs;

type Plays = { [Type in Step['type']]: (world: World, step: StepOf<Type>) => Promise<void> };

const plays: Plays = {
  spend: spending.playSpend,
  hold: spending.playHold,
  extend: spending.playExtend,
  capture: spending.playCapture,
  void: spending.playVoid,
  grant: moving.playGrant,
  take: moving.playTake,
  refund: moving.playRefund,
  clawBack: moving.playClawBack,
  newCode: moving.playNewCode,
  revokeCode: moving.playRevokeCode,
  redeem: moving.playRedeem,
  transfer: moving.playTransfer,
  mandate: consent.playMandate,
  changeMandate: consent.playChangeMandate,
  revokeMandate: consent.playRevokeMandate,
  readMandates: consent.playReadMandates,
  limitMember: consent.playLimitMember,
  freeze: consent.playFreeze,
  listTransactions: questions.playListTransactions,
  statement: questions.playStatement,
  usage: questions.playUsage,
  balanceAt: questions.playBalanceAt,
  quote: questions.playQuote,
  pass: async (world, step) => world.service.clock.set(new Date(landing(world, step))),
  replay: async (world, { place }) => {
    const call = pick(world.calls, place);
    if (call) await perform(world, call);
  },
};

/**
 * Plays one step. Time goes on by a millisecond first: two lots that come in at one instant would be of one
 * age.
 */
export async function play(world: World, step: Step): Promise<void> {
  world.service.clock.advance({ ms: 1 });
  await (plays[step.type] as (world: World, step: Step) => Promise<void>)(world, step);
}

/** Where a jump of the clock lands; never back, and never beyond what sessions last. */
function landing(world: World, { to, offsetMs }: StepOf<'pass'>): number {
  const now = nowOf(world);
  const date = new Date(now);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const events = Object.values(world.wallets).map((wallet) => wallet.nextEventAt());
  const targets = {
    event: Math.min(...events.filter((at) => at > now)),
    midnight: Date.UTC(year, month, day + 1),
    week: Date.UTC(year, month, day + ((8 - date.getUTCDay()) % 7 || 7)),
    month: Date.UTC(year, month + 1),
    leapDay: Date.UTC(2028, 1, 29),
    summerTime: Date.UTC(2028, 2, 26, 1),
  };
  const wanted = (typeof to === 'number' ? now + to : targets[to]) + offsetMs;
  return wanted <= now || wanted > world.startedAt + lastMs ? now : wanted;
}
