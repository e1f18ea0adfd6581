/**
 * The path and query of an address, to be used as an address by themselves; undefined where they do not stay
 * at the host, since they begin like the name of another one. Only what has been normalised tells: the path
 * of `https://here/.//there` is `//there`, which is the host `there`. @see RFC 3986 §4.2, §5.2.4
 */
export function ownPathOf({ pathname, search }: URL): string | undefined {
  return /^\/(?![/\\])/.test(pathname) ? `${pathname}${search}` : undefined;
}
