import type { StepOf } from './steps.ts';
import { perform } from './compare.ts';
import * as spending from './spending.ts';
import type { WalletModel } from './wallet.ts';
import { pick, type Actor, type World } from './world.ts';

type Asked = StepOf<'spend'>['spender'];

export const personOf = (world: World, name: 'alice' | 'bob'): Actor => {
  const { userId, token } = world.people[name];
  return { credentials: { token }, id: userId, isApp: false };
};

const appOf = ({ app }: World): Actor => ({
  credentials: { headers: app.headers },
  id: app.clientId,
  isApp: true,
});

export const appIdOf = ({ app }: World, name: 'chat' | 'maps' | 'own'): string =>
  name === 'own' ? app.clientId : name;

/** Who spends, from which wallet, under which name, and how the body says so. */
export function spendingOf(world: World, { person, way }: Asked, app: 'chat' | 'maps' | 'own') {
  const wallet: WalletModel = way === 'team' ? world.wallets.team : world.wallets[person];
  const actor = way === 'app' ? appOf(world) : personOf(world, person);
  const appId = appIdOf(world, way === 'app' ? 'own' : app);
  const body = {
    appId,
    ...(way === 'app' ? { onBehalfOf: world.people[person].userId } : {}),
    ...(way === 'team' ? { walletId: world.teamId } : {}),
  };
  return { wallet, actor, appId, body };
}

export const keyed = (key: string | undefined) => (key === undefined ? {} : { idempotencyKey: key });
const metadataOf = (model: string | undefined) => (model === undefined ? {} : { metadata: { model } });

export async function playSpend(world: World, step: StepOf<'spend'>): Promise<void> {
  const { wallet, actor, appId, body } = spendingOf(world, step.spender, step.app);
  const { amount, model, key } = step;
  await keep(world, {
    path: 'use',
    body: { ...body, amount, description: 'x', ...metadataOf(model), ...keyed(key) },
    as: actor.credentials,
    wallets: [wallet],
    decide: (now) => spending.spend(world.spends, actor, { wallet, appId, amount, model, key }, now),
  });
}

export async function playHold(world: World, step: StepOf<'hold'>): Promise<void> {
  const { wallet, actor, appId, body } = spendingOf(world, step.spender, step.app);
  const { amount, model, key, lasts } = step;
  let placed: ReturnType<typeof spending.placeHold>['hold'];
  await keep(world, {
    path: 'holds',
    body: { ...body, amount, description: 'x', expiresInSeconds: lasts, ...metadataOf(model), ...keyed(key) },
    as: actor.credentials,
    wallets: [wallet],
    decide: (now) => {
      const made = spending.placeHold(actor, { wallet, appId, amount, model, key, lasts }, now);
      placed = made.hold;
      return made.outcome;
    },
    learn: (answer) => {
      if (!placed) return;
      placed.id = answer.body.id;
      world.holds.push({ hold: placed, placedBy: actor });
    },
  });
}

/** A hold, and who moves it. */
function holdOf(world: World, { place, mover }: Pick<StepOf<'void'>, 'place' | 'mover'>) {
  const found = pick(world.holds, place);
  if (!found) return undefined;
  const { hold, placedBy } = found;
  const actor = mover === 'placer' ? placedBy : mover === 'app' ? appOf(world) : personOf(world, mover);
  const call = { as: actor.credentials, wallets: [hold.wallet] };
  return { hold, actor, call };
}

export async function playExtend(world: World, step: StepOf<'extend'>): Promise<void> {
  const found = holdOf(world, step);
  if (!found) return;
  const { hold, actor, call } = found;
  const { amount, lasts, key } = step;
  await keep(world, {
    ...call,
    path: `holds/${hold.id}/extend`,
    body: { expiresInSeconds: lasts, ...(amount === undefined ? {} : { amount }), ...keyed(key) },
    decide: (now) => spending.extendHold(actor, hold, { amount, lasts, key }, now),
  });
}

export async function playCapture(world: World, step: StepOf<'capture'>): Promise<void> {
  const found = holdOf(world, step);
  if (!found) return;
  const { hold, actor, call } = found;
  const { amount, isFinal, overrun, key } = step;
  await keep(world, {
    ...call,
    path: `holds/${hold.id}/capture`,
    body: { amount, final: isFinal, ...(overrun === undefined ? {} : { overrun }), ...keyed(key) },
    decide: (now) => spending.captureHold(world.spends, actor, hold, { amount, isFinal, overrun, key }, now),
  });
}

export async function playVoid(world: World, step: StepOf<'void'>): Promise<void> {
  const found = holdOf(world, step);
  if (!found) return;
  const { hold, actor, call } = found;
  const { key } = step;
  await keep(world, {
    ...call,
    path: `holds/${hold.id}/void`,
    body: keyed(key),
    decide: (now) => spending.voidHold(actor, hold, { key }, now),
  });
}

/** Does it, and keeps it for a replay. */
export async function keep(
  world: World,
  given: Omit<Parameters<typeof perform>[1], 'method'>,
): Promise<void> {
  const call = { method: 'POST' as const, ...given };
  world.calls.push(call);
  await perform(world, call);
}
