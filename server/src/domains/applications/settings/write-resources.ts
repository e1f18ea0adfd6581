import { and, asc, eq, inArray, notInArray } from 'drizzle-orm';
import type { Config } from '../../../config.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { resources } from '../tables.ts';
import { isLoopbackHost } from './assert-web-address.ts';
import { invalidField } from './invalid-field.ts';

/**
 * Throws `request.invalid` unless each is an absolute URI without fragment that can stand for an API, and
 * none stands for this service itself. @see RFC 8707 §2
 */
export function assertResources(config: Config, identifiers: string[]): void {
  const own = [config.baseUrl, config.jwtAudience, config.jwtIssuer];
  identifiers.forEach((identifier, index) => {
    const path = `/body/resources/${index}`;
    if (!isIdentifier(identifier)) {
      throw invalidField(
        path,
        'must be an absolute URI with https or urn, without a fragment; http on localhost only',
      );
    }
    if (own.some((one) => isWithin(identifier, one)))
      throw invalidField(path, 'stands for this service itself');
  });
}

/**
 * Makes these, and no others, the APIs that an application protects. Throws `applications.resource_taken`
 * when one of them belongs to another application, whoever comes second. `tx` is the service's and holds
 * the application.
 */
export async function writeResources(
  ctx: Ctx,
  tx: Tx,
  applicationId: string,
  identifiers: string[],
): Promise<void> {
  const isOwn = eq(resources.applicationId, applicationId);
  const { identifier } = resources;
  await tx.delete(resources).where(and(isOwn, notInArray(identifier, [...identifiers, ''])));
  if (identifiers.length === 0) return;
  // In one order, so that two applications that want the same ones wait for each other and not in a circle.
  const wanted = identifiers.toSorted();
  const createdAt = ctx.clock.now();
  await tx
    .insert(resources)
    .values(wanted.map((one) => ({ identifier: one, applicationId, createdAt })))
    .onConflictDoNothing();
  const own = await tx
    .select({ identifier })
    .from(resources)
    .where(and(isOwn, inArray(identifier, wanted)));
  const taken = wanted.filter((one) => !own.some((row) => row.identifier === one));
  if (taken.length > 0)
    throw new AppError('applications.resource_taken', { extensions: { resources: taken } });
}

/** The APIs that these applications protect, by application. */
export async function readResources(tx: Tx, applicationIds: string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>(applicationIds.map((id) => [id, []]));
  if (applicationIds.length === 0) return found;
  const rows = await tx
    .select({ applicationId: resources.applicationId, identifier: resources.identifier })
    .from(resources)
    .where(inArray(resources.applicationId, applicationIds))
    .orderBy(asc(resources.identifier));
  for (const { applicationId, identifier } of rows) found.get(applicationId)?.push(identifier);
  return found;
}

function isIdentifier(text: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(text) || /[#\\*]/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (protocol === 'urn:') return /^urn:[a-z0-9-]{2,32}:[^:]/i.test(text);
  if (username !== '' || password !== '' || !/^https?:\/\/[^/]/i.test(text)) return false;
  return protocol === 'https:' || isLoopbackHost(hostname);
}

/** Whether an identifier is `own`, or lies on its origin. */
function isWithin(identifier: string, own: string): boolean {
  if (identifier === own) return true;
  const { origin } = new URL(identifier);
  return origin !== 'null' && URL.canParse(own) && new URL(own).origin === origin;
}
