import type { Call, Reply } from './lib/call.ts';
import { answerControl } from './control/answer-control.ts';
import { doDueTasks } from './due.ts';
import { answerPage } from './pages/answer-page.ts';
import { answerPortal } from './pages/answer-portal.ts';
import { answerPayPal, type Credentials } from './paypal/answer-paypal.ts';
import { answerStripe } from './stripe/answer-stripe.ts';
import { certificatePath, type WebhookKeys } from './webhooks/sign.ts';
import type { World } from './world.ts';

export type Access = { stripeSecretKey: string; paypal: Credentials; keys: WebhookKeys };

const paypalPath = /^\/(v2\/|v1\/(oauth2|catalogs|billing|customer|reporting|notifications|payments)\/)/;

/**
 * Answers a call of either provider's API, or of a page, and has written down what came of it when it
 * returns.
 */
export function answerCall(world: World, call: Call, access: Access): Reply {
  doDueTasks(world);
  const reply = route(world, call, access);
  world.save();
  return reply;
}

function route(world: World, call: Call, access: Access): Reply {
  if (call.path === certificatePath) {
    const { chain } = access.keys.certificates;
    return { status: 200, body: chain, headers: { 'content-type': 'application/x-pem-file' } };
  }
  if (paypalPath.test(call.path)) return answerPayPal(world, call, access.paypal);
  if (call.path.startsWith('/v1/')) return answerStripe(world, call, access.stripeSecretKey);
  // Another site must not press buttons here for whoever looks at it.
  if (call.method === 'POST' && call.headers['sec-fetch-site'] === 'cross-site')
    return { status: 403, body: '' };
  const page = answerPage(world, call) ?? answerPortal(world, call) ?? answerControl(world, call);
  return page ?? { status: 404, body: 'There is nothing here.' };
}
