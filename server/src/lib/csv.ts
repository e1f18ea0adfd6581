/**
 * What a spreadsheet would take for a formula: at the beginning, or where another cell might begin if it
 * splits elsewhere than at commas, behind quotes and spaces that it drops.
 */
const formulaStart = /(?<=^|[;|\t\r\n])(?=["\s]*[=+\-@\t\r＝＋－＠])/g;

/**
 * A text that others have written, as a cell of CSV: always in quotes, and with an apostrophe in front of
 * every formula. @see RFC 4180 §2
 */
export function toTextCell(text: string | null): string {
  return text === null ? '' : `"${text.replaceAll(formulaStart, "'").replaceAll('"', '""')}"`;
}
