import { Registry } from 'prom-client';

/** The Prometheus registry and the instruments that use cases may touch. */
export type Metrics = { registry: Registry };

export function createMetrics(): Metrics {
  return { registry: new Registry() };
}
