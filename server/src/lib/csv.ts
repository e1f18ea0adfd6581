/** What a spreadsheet would take for a formula: at the beginning, or where it might begin another cell. */
const formulaStart = /(^|[;|\t])(?=\s*[=+\-@\t\r＝＋－＠])/g;

/**
 * A text that others have written, as a cell of CSV: always in quotes, and with an apostrophe in front of
 * every formula. @see RFC 4180 §2
 */
export function toTextCell(text: string | null): string {
  return text === null ? '' : `"${text.replaceAll(formulaStart, "$1'").replaceAll('"', '""')}"`;
}
