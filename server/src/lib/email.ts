/** The form in which e-mail addresses are compared: trimmed, Unicode NFKC, lower case. */
export function normalizeEmail(email: string): string {
  return email.trim().normalize('NFKC').toLowerCase();
}
