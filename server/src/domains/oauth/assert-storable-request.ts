import { assertStorable } from '../../http/validation.ts';

/** Parameters that hold JSON, in which a null byte may stand escaped. */
const objects = ['claims', 'authorization_details'];

/**
 * Throws `request.invalid_text` for a null byte or an unpaired surrogate in a parameter, which PostgreSQL
 * could not store, and `request.invalid` for an object that is nested beyond reason. Whether an object is
 * one at all is for the library to say.
 */
export function assertStorableRequest(parameters: URLSearchParams): void {
  for (const [name, value] of parameters) {
    assertStorable({ [name]: value }, '/body');
    if (objects.includes(name)) assertStorable(readJson(value), `/body/${name}`);
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
