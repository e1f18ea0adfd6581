/** PostgreSQL stores neither, so no application has them. */
const unstorable = /\0|[\ud800-\udfff]/u;

/**
 * The client id and secret of an `Authorization` header, undefined when it holds none. Both are form-encoded
 * before they are put together, so that they may hold a colon. @see RFC 6749 §2.3.1, RFC 7617 §2
 */
export function readBasicCredentials(
  header: string | undefined,
): { clientId: string; clientSecret: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '')?.[1];
  const [, id, secret] = /^([^:]*):([^:]*)$/.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? [];
  const [clientId, clientSecret] = [formDecode(id), formDecode(secret)];
  if (!clientId || !clientSecret || unstorable.test(clientId)) return undefined;
  return { clientId, clientSecret };
}

/** Undefined when it is not form-encoded. @see RFC 6749 Appendix B */
function formDecode(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
