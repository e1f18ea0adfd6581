import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The Prometheus registry and the instruments that use cases may touch. */
export type Metrics = {
  registry: Registry;
  /** Time from the first byte of a request to the last of its answer, by route pattern, method and status. */
  requestDurationSeconds: Histogram<'method' | 'route' | 'status'>;
  /** Spends by outcome: `spent`, `replayed` or `refused`. */
  spends: Counter<'outcome'>;
  /** Credits spent. */
  creditsSpent: Counter;
  /** Requests to endpoints by outcome: `arrived` or `failed`. */
  webhookAttempts: Counter<'outcome'>;
  /** Deliveries of payment providers that were refused, by provider and code. */
  refusedDeliveries: Counter<'provider' | 'code'>;
  /** What looked like an attack, by kind. */
  suspicions: Counter<'kind'>;
  /** Adds a gauge that is read whenever the metrics are. */
  observe(name: string, help: string, read: () => number): void;
};

/** From a cached balance (a few milliseconds) to a login that waited for its password hash. */
const durationBuckets = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry of its own for each service, with the process metrics of Node. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requestDurationSeconds: new Histogram({
      name: 'obol_http_request_duration_seconds',
      help: 'Duration of requests by route pattern, method and status',
      labelNames: ['method', 'route', 'status'],
      buckets: durationBuckets,
      registers,
    }),
    spends: new Counter({
      name: 'obol_spends_total',
      help: 'Spends by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    creditsSpent: new Counter({ name: 'obol_credits_spent_total', help: 'Credits spent', registers }),
    webhookAttempts: new Counter({
      name: 'obol_webhook_attempts_total',
      help: 'Requests to endpoints of applications by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    refusedDeliveries: new Counter({
      name: 'obol_payment_deliveries_refused_total',
      help: 'Deliveries said to be of payment providers that were refused, by provider and code',
      labelNames: ['provider', 'code'],
      registers,
    }),
    suspicions: createSuspicions(registers),
    observe(name, help, read) {
      const gauge: Gauge = new Gauge({ name, help, registers: [], collect: () => gauge.set(read()) });
      registry.registerMetric(gauge);
    },
  };
}

const suspicionKinds = [
  'attacked',
  'flood',
  'refresh_reused',
  'sign_in_after_failures',
  'sign_in_burst',
  'stuffing',
];

/** Each kind begins at 0: Prometheus sees an increase only from a value that it has read before. */
function createSuspicions(registers: Registry[]): Counter<'kind'> {
  const suspicions = new Counter({
    name: 'obol_suspicions_total',
    help: 'What looked like an attack on accounts, by kind',
    labelNames: ['kind'] as const,
    registers,
  });
  for (const kind of suspicionKinds) suspicions.inc({ kind }, 0);
  return suspicions;
}
