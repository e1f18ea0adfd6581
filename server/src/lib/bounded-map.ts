/** What is remembered of things that come by without end; a `Map` without a bound serves as one, too. */
export type BoundedMap<Value> = {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): boolean;
};

/**
 * An empty one that holds `sizeMax` at most, whoever asks: beyond that, what was set longest ago is
 * forgotten. What is set anew is the newest again.
 */
export function createBoundedMap<Value>(sizeMax: number): BoundedMap<Value> {
  const values = new Map<string, Value>();
  return {
    get: (key) => values.get(key),
    set(key, value) {
      // A map keeps the order in which its keys came, so that the first is the oldest.
      values.delete(key);
      const [oldest] = values.size >= sizeMax ? values.keys() : [];
      if (oldest !== undefined) values.delete(oldest);
      values.set(key, value);
    },
    delete: (key) => values.delete(key),
  };
}
