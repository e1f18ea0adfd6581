/** One endpoint: its method, its path with `:names`, and what answers. */
export type Route<Answer> = { method: string; path: string; answer: Answer };

/**
 * The first route of a method and path, with what stands in the places of its names; undefined without one.
 */
export function findRoute<Answer>(
  routes: readonly Route<Answer>[],
  method: string,
  path: string,
): { answer: Answer; id: string } | undefined {
  for (const route of routes) {
    if (route.method !== method) continue;
    const pattern = new RegExp(`^${route.path.replaceAll('.', '\\.').replace(':id', '([^/]+)')}$`);
    const match = pattern.exec(path);
    if (match) return { answer: route.answer, id: decodeURIComponent(match[1] ?? '') };
  }
  return undefined;
}
