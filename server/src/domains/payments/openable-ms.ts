/** How much time a checkout needs to have left to be opened: Stripe takes none that would end sooner. */
export const openableMs = 31 * 60_000;
