import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { mergeMetadata } from './customers.ts';
import { find } from './find.ts';
import { listParameters, pageOf } from './lists.ts';
import type { PortalConfiguration, PortalSession } from './wire.ts';

type Features = PortalConfiguration['features'];

/** POST /v1/billing_portal/sessions */
export function createPortalSession(world: World, form: Form): PortalSession {
  form.only('customer', 'return_url', 'configuration', 'locale', 'flow_data', 'expand');
  const customer = find(world, 'customers', form.needText('customer'), 'customer');
  const configuration = form.text('configuration');
  if (configuration !== null) find(world, 'portalConfigurations', configuration, 'configuration');
  const id = world.newId('bps_');
  const session: PortalSession = {
    id,
    object: 'billing_portal.session',
    configuration: configuration ?? 'bpc_standin',
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

/** POST /v1/billing_portal/configurations */
export function createPortalConfiguration(world: World, form: Form): PortalConfiguration {
  form.only('features', 'metadata', 'name', 'default_return_url', 'expand');
  const configuration: PortalConfiguration = {
    id: world.newId('bpc_'),
    object: 'billing_portal.configuration',
    active: true,
    application: null,
    business_profile: { headline: null, privacy_policy_url: null, terms_of_service_url: null },
    created: world.seconds(),
    default_return_url: form.text('default_return_url'),
    features: noFeatures(),
    is_default: false,
    livemode: false,
    login_page: { enabled: false, url: null },
    metadata: form.table('metadata'),
    name: form.text('name'),
    updated: world.seconds(),
  };
  setFeatures(configuration.features, form.part('features'));
  world.state.stripe.portalConfigurations[configuration.id] = configuration;
  return configuration;
}

/** GET /v1/billing_portal/configurations */
export function listPortalConfigurations(world: World, form: Form) {
  form.only(...listParameters, 'active', 'is_default');
  const active = form.flag('active');
  const all = Object.values(world.state.stripe.portalConfigurations);
  const wanted = all.filter((one) => active === null || one.active === active);
  return pageOf(wanted, form, '/v1/billing_portal/configurations');
}

/** POST /v1/billing_portal/configurations/:id */
export function updatePortalConfiguration(world: World, form: Form, id: string): PortalConfiguration {
  form.only('features', 'metadata', 'name', 'active', 'default_return_url', 'expand');
  const configuration = find(world, 'portalConfigurations', id);
  if (form.has('features')) setFeatures(configuration.features, form.part('features'));
  configuration.active = form.flag('active') ?? configuration.active;
  configuration.metadata = mergeMetadata(configuration.metadata ?? {}, form.table('metadata'));
  configuration.updated = world.seconds();
  return configuration;
}

function noFeatures(): Features {
  return {
    customer_update: { allowed_updates: [], enabled: false },
    invoice_history: { enabled: false },
    payment_method_update: { enabled: false, payment_method_configuration: null },
    subscription_cancel: {
      cancellation_reason: { enabled: false, feedback_options: null, options: [] },
      enabled: false,
      mode: 'at_period_end',
      proration_behavior: 'none',
    },
    subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
    subscription_update: {
      billing_cycle_anchor: null,
      default_allowed_updates: [],
      enabled: false,
      proration_behavior: 'none',
      schedule_at_period_end: { conditions: [] },
      trial_update_behavior: 'end_trial',
    },
  };
}

function setFeatures(features: Features, form: Form): void {
  form.only(
    'customer_update',
    'invoice_history',
    'payment_method_update',
    'subscription_cancel',
    'subscription_update',
  );
  for (const name of ['customer_update', 'invoice_history', 'payment_method_update'] as const) {
    if (form.has(name)) features[name].enabled = form.part(name).only('enabled').flag('enabled') ?? false;
  }
  if (form.has('subscription_update')) {
    const update = form.part('subscription_update').only('enabled');
    features.subscription_update.enabled = update.flag('enabled') ?? false;
  }
  if (form.has('subscription_cancel')) {
    const cancel = form.part('subscription_cancel').only('enabled', 'mode');
    features.subscription_cancel.enabled = cancel.flag('enabled') ?? false;
    features.subscription_cancel.mode = cancel.choice('mode', 'at_period_end', 'immediately');
  }
}
