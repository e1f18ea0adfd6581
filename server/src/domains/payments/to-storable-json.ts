/**
 * JSON as PostgreSQL can keep it: null characters and unpaired surrogates, which its texts cannot hold,
 * become U+FFFD.
 */
export function toStorableJson(value: unknown): string {
  // `JSON.stringify` writes nothing else with such an escape; behind an escaped backslash it is text.
  return JSON.stringify(value).replaceAll(/\\(?:\\|u(?:0000|d[89a-f][0-9a-f]{2}))/g, (found) =>
    found === '\\\\' ? found : '\\ufffd',
  );
}
