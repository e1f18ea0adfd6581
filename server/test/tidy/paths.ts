/** The domain that a path belongs to, and the file within it. */
export function domainOf(path: string | undefined): { domain: string; file: string } | undefined {
  const match = /^server\/src\/domains\/([^/]+)\/(.+)$/.exec(path ?? '');
  return match ? { domain: match[1] ?? '', file: match[2] ?? '' } : undefined;
}

/** `tables.ts`, or `…-tables.ts` where a domain has too many tables for one file. */
export function isTableFile(path: string | undefined): boolean {
  return /\/([a-z-]+-)?tables\.ts$/.test(path ?? '');
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}
