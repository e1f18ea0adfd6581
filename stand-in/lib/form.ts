import { StripeRefusal } from '../stripe/refusal.ts';

type Tree = string | Tree[] | { [name: string]: Tree };
type Group = { [name: string]: Tree };

/**
 * The parameters of a call to Stripe: a form whose names say where they belong (`line_items[0][price]`). What
 * is read of it has the right type, or the call is refused the way Stripe does.
 */
export class Form {
  private readonly group: Group;
  /** Where this part of the form stands, for messages: `line_items[0]`. */
  private readonly place: string;

  constructor(group: Group, place = '') {
    this.group = group;
    this.place = place;
  }

  /** Reads `a[b][0][c]=d&…`. Names are taken as they come; `__proto__` is a name like any other. */
  static parse(text: string): Form {
    const root: Group = Object.create(null) as Group;
    for (const [name, value] of new URLSearchParams(text)) put(root, pathOf(name), value);
    return new Form(root);
  }

  /** Refuses parameters that the endpoint does not take, as Stripe does. */
  only(...names: string[]): this {
    const unknown = Object.keys(this.group).find((name) => !names.includes(name));
    if (unknown !== undefined) throw StripeRefusal.unknownParameter(this.nameOf(unknown));
    return this;
  }

  has(name: string): boolean {
    return this.group[name] !== undefined;
  }

  isText(name: string): boolean {
    return typeof this.group[name] === 'string';
  }

  text(name: string): string | null {
    const value = this.group[name];
    if (value === undefined || value === '') return null;
    if (typeof value !== 'string') throw StripeRefusal.wrongParameter(this.nameOf(name), 'Invalid string');
    return value;
  }

  needText(name: string): string {
    const text = this.text(name);
    if (text === null) throw StripeRefusal.missingParameter(this.nameOf(name));
    return text;
  }

  /** One of the given words; the first when it is not said. */
  choice<const Word extends string>(name: string, ...words: readonly [Word, ...Word[]]): Word {
    const text = this.text(name);
    const found = text === null ? words[0] : words.find((word) => word === text);
    if (found === undefined) {
      throw StripeRefusal.wrongParameter(this.nameOf(name), `must be one of ${words.join(', ')}`);
    }
    return found;
  }

  integer(name: string): number | null {
    const text = this.text(name);
    if (text === null) return null;
    if (!/^-?\d{1,15}$/.test(text)) {
      throw StripeRefusal.wrongParameter(this.nameOf(name), `Invalid integer: ${text}`);
    }
    return Number(text);
  }

  needInteger(name: string): number {
    const integer = this.integer(name);
    if (integer === null) throw StripeRefusal.missingParameter(this.nameOf(name));
    return integer;
  }

  flag(name: string): boolean | null {
    const text = this.text(name);
    if (text === null) return null;
    if (text !== 'true' && text !== 'false') {
      throw StripeRefusal.wrongParameter(this.nameOf(name), `Invalid boolean: ${text}`);
    }
    return text === 'true';
  }

  /** A part of the form with names of its own; an empty one when it is not there. */
  part(name: string): Form {
    const value = this.group[name] ?? {};
    if (typeof value !== 'object' || Array.isArray(value)) {
      throw StripeRefusal.wrongParameter(this.nameOf(name), 'Invalid object');
    }
    return new Form(value, this.nameOf(name));
  }

  parts(name: string): Form[] {
    return this.listOf(name).map((value, index) => {
      const place = `${this.nameOf(name)}[${index}]`;
      if (typeof value !== 'object' || Array.isArray(value)) {
        throw StripeRefusal.wrongParameter(place, 'Invalid object');
      }
      return new Form(value, place);
    });
  }

  texts(name: string): string[] {
    return this.listOf(name).filter((value) => typeof value === 'string');
  }

  /** A table of texts, such as metadata. An empty text takes its name out. */
  table(name: string): Record<string, string> {
    const part = this.part(name);
    return Object.fromEntries(Object.keys(part.group).map((key) => [key, part.text(key) ?? '']));
  }

  nameOf(name: string): string {
    return this.place === '' ? name : `${this.place}[${name}]`;
  }

  private listOf(name: string): Tree[] {
    const value = this.group[name];
    if (value === undefined || value === '') return [];
    if (Array.isArray(value)) return value;
    if (typeof value === 'string') throw StripeRefusal.wrongParameter(this.nameOf(name), 'Invalid array');
    return Object.values(value);
  }
}

/** `a[b][]` → `a`, `b`, `` (the next place of a list). */
function pathOf(name: string): string[] {
  const first = name.split('[', 1)[0] ?? '';
  return [first, ...[...name.slice(first.length).matchAll(/\[([^[\]]*)\]/g)].map((match) => match[1] ?? '')];
}

function put(group: Group, [name = '', ...rest]: string[], value: string): void {
  const key = name === '' ? String(Object.keys(group).length) : name;
  if (rest.length === 0) {
    group[key] = value;
    return;
  }
  const inner = group[key];
  const next = typeof inner === 'object' && !Array.isArray(inner) ? inner : (Object.create(null) as Group);
  group[key] = next;
  put(next, rest, value);
}
