import type { Call, Reply } from '../lib/call.ts';
import { PayPalRefusal } from '../paypal/refusal.ts';
import { StripeRefusal } from '../stripe/refusal.ts';
import type { World } from '../world.ts';
import { actions, isActionName, type ActionName } from './actions.ts';
import { renderControlPage } from './control-page.ts';
import { Input, Refused } from './input.ts';

/** Answers the control page and its actions, which take forms and JSON; undefined for any other path. */
export function answerControl(world: World, call: Call): Reply | undefined {
  if (call.path === '/' || call.path === '/control') {
    const said = new URLSearchParams(call.query).get('said');
    return { status: 200, body: renderControlPage(world, said) };
  }
  const [, name = ''] = /^\/control\/([\w-]+)$/.exec(call.path) ?? [];
  if (call.method !== 'POST' || !isActionName(name)) return undefined;
  const isJson = /json/.test(call.headers['content-type'] ?? '');
  try {
    const done = act(world, name, readInput(call, isJson)) ?? {};
    return isJson ? { status: 200, body: done } : back('Done.');
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return isJson ? { status: 400, body: { message: error.message } } : back(error.message);
  }
}

/** Does one of the actions. Throws Refused when it cannot be done. */
export function act(
  world: World,
  name: ActionName,
  input: Record<string, unknown>,
): { id: string } | undefined {
  try {
    return actions[name](world, new Input(input));
  } catch (error) {
    if (error instanceof StripeRefusal || error instanceof PayPalRefusal) {
      const [detail] = error instanceof PayPalRefusal ? error.details : [];
      throw new Refused(detail?.description ?? error.message, { cause: error });
    }
    throw error;
  }
}

function readInput(call: Call, isJson: boolean): Record<string, unknown> {
  const text = call.body.toString();
  if (!isJson) return Object.fromEntries(new URLSearchParams(text));
  try {
    const json: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof json === 'object' && json !== null) return json as Record<string, unknown>;
  } catch (error) {
    throw new Refused('The body is no JSON.', { cause: error });
  }
  throw new Refused('The body must be an object.');
}

function back(said: string): Reply {
  return {
    status: 303,
    body: '',
    headers: { location: `/control?${new URLSearchParams({ said }).toString()}` },
  };
}
