/** Whether a JSON value is nested at most `depthMax` deep. Does not recurse itself, so no value is too deep to judge. */
export function isJsonWithinDepth(root: unknown, depthMax: number): boolean {
  const stack = [{ value: root, depth: 0 }];
  for (let item = stack.pop(); item; item = stack.pop()) {
    if (typeof item.value !== 'object' || item.value === null) continue;
    if (item.depth === depthMax) return false;
    for (const value of Object.values(item.value)) stack.push({ value, depth: item.depth + 1 });
  }
  return true;
}
