import { PayPalRefusal } from './refusal.ts';

type Json = Record<string, unknown>;

/**
 * The JSON of a call to PayPal. What is read of it has the right type, or the call is refused the way PayPal
 * does.
 */
export class Body {
  private readonly json: Json;
  private readonly place: string;

  constructor(json: unknown, place = '') {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw PayPalRefusal.invalid(place || '/', json, 'The value is not an object.');
    }
    this.json = json as Json;
    this.place = place;
  }

  /** Reads the bytes of a call; none at all are an empty object. */
  static parse(bytes: Buffer): Body {
    if (bytes.length === 0) return new Body({});
    try {
      return new Body(JSON.parse(bytes.toString()));
    } catch (error) {
      if (error instanceof PayPalRefusal) throw error;
      const issue = { issue: 'MALFORMED_REQUEST_JSON', description: 'The request JSON is not well formed.' };
      throw new PayPalRefusal(400, 'INVALID_REQUEST', 'Request is not well-formed.', [issue]);
    }
  }

  has(name: string): boolean {
    return this.json[name] !== undefined && this.json[name] !== null;
  }

  text(name: string, charactersMax = 255): string | null {
    const value = this.json[name];
    if (value === undefined || value === null) return null;
    if (typeof value !== 'string' || value.length > charactersMax) {
      throw PayPalRefusal.invalid(this.nameOf(name), value, 'The value of a field is invalid.');
    }
    return value;
  }

  needText(name: string, charactersMax = 255): string {
    const text = this.text(name, charactersMax);
    if (text === null || text === '') throw PayPalRefusal.missing(this.nameOf(name));
    return text;
  }

  /** One of the given words; the first when it is not said. */
  choice<const Word extends string>(name: string, ...words: readonly [Word, ...Word[]]): Word {
    const text = this.text(name);
    const found = text === null ? words[0] : words.find((word) => word === text);
    if (found === undefined)
      throw PayPalRefusal.invalid(this.nameOf(name), text, 'The value of a field is invalid.');
    return found;
  }

  integer(name: string): number | null {
    const value = this.json[name];
    if (value === undefined || value === null) return null;
    const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
      throw PayPalRefusal.invalid(this.nameOf(name), value, 'The value of a field is invalid.');
    }
    return number;
  }

  flag(name: string): boolean | null {
    const value = this.json[name];
    if (value === undefined || value === null) return null;
    if (typeof value !== 'boolean') {
      throw PayPalRefusal.invalid(this.nameOf(name), value, 'The value of a field is invalid.');
    }
    return value;
  }

  /** A part with names of its own; an empty one when it is not there. */
  part(name: string): Body {
    return new Body(this.json[name] ?? {}, this.nameOf(name));
  }

  parts(name: string): Body[] {
    const value = this.json[name] ?? [];
    if (!Array.isArray(value))
      throw PayPalRefusal.invalid(this.nameOf(name), value, 'The value is not an array.');
    return value.map((item, index) => new Body(item, `${this.nameOf(name)}/${index}`));
  }

  nameOf(name: string): string {
    return `${this.place}/${name}`;
  }
}
