/** A time, as text from PostgreSQL or as the driver reads it, in ISO 8601 and UTC; null stays null. */
export function toIso<Time extends Date | string | null>(time: Time): Time extends null ? null : string;
export function toIso(time: Date | string | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
