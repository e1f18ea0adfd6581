import type { EventType } from './event-types.ts';
import type { EndpointObject } from './schemas.ts';
import type { endpoints } from './tables.ts';

export type Endpoint = typeof endpoints.$inferSelect;

/** An endpoint as the API shows it. */
export function toEndpointObject(endpoint: Endpoint): EndpointObject {
  return {
    id: endpoint.id,
    applicationId: endpoint.applicationId,
    url: endpoint.url,
    eventTypes: endpoint.eventTypes as EventType[] | null,
    lowBalance: endpoint.lowBalance,
    description: endpoint.description,
    isEnabled: endpoint.isEnabled,
    disabledReason: endpoint.disabledReason,
    firstFailedAt: endpoint.firstFailedAt?.toISOString() ?? null,
    createdAt: endpoint.createdAt.toISOString(),
    updatedAt: endpoint.updatedAt.toISOString(),
  };
}
