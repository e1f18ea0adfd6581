/** What was asked of the control page cannot be done; its message says why. */
export class Refused extends Error {}

/** What an action is told, by name. */
export class Input {
  private readonly values: Record<string, unknown>;

  constructor(values: Record<string, unknown>) {
    this.values = values;
  }

  has(name: string): boolean {
    return this.text(name) !== undefined;
  }

  need(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw new Refused(`\`${name}\` is missing.`);
    return text;
  }

  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^\d{1,9}$/.test(text)) throw new Refused(`\`${name}\` must be a whole number.`);
    return Number(text);
  }

  percent(name: string): number {
    return Math.min(100, this.count(name) ?? 0);
  }

  word<const Word extends string>(name: string, ...words: readonly Word[]): Word {
    const text = this.need(name);
    const found = words.find((word) => word === text);
    if (found === undefined) throw new Refused(`\`${name}\` must be one of: ${words.join(', ')}.`);
    return found;
  }

  private text(name: string): string | undefined {
    const value = Object.hasOwn(this.values, name) ? this.values[name] : undefined;
    const text = typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
    return text === '' ? undefined : text;
  }
}
