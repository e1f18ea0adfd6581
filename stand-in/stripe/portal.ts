import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { find } from './find.ts';
import type { PortalSession } from './wire.ts';

/** POST /v1/billing_portal/sessions */
export function createPortalSession(world: World, form: Form): PortalSession {
  form.only('customer', 'return_url', 'configuration', 'locale', 'flow_data', 'expand');
  const customer = find(world, 'customers', form.needText('customer'), 'customer');
  const id = world.newId('bps_');
  const session: PortalSession = {
    id,
    object: 'billing_portal.session',
    configuration: form.text('configuration') ?? 'bpc_standin',
    created: world.seconds(),
    customer: customer.id,
    customer_account: null,
    flow: null,
    livemode: false,
    locale: null,
    on_behalf_of: null,
    return_url: form.text('return_url'),
    url: `${world.url}/portal/${id}`,
  };
  world.state.stripe.portalSessions[id] = session;
  return session;
}
