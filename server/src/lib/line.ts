/** A text on one line, without control characters: it ends up in lists, journals, mails and CSV files. */
export const linePattern = '^[^\\p{Cc}]*$';
