import type { Ctx } from '../../ctx.ts';
import type { MayCapture, PaymentProvider } from './payment-provider.ts';

/**
 * By what an approved payment at a provider is told to be ours: it names a purchase that was begun there and
 * is still to be paid, costs what that costs, and is the checkout that was opened for it, or names it as its
 * bill. Payments of other programs of the same account are theirs to take.
 */
export function captureRuleOf(
  { db, clock }: Pick<Ctx, 'db' | 'clock'>,
  { name, isLive }: Pick<PaymentProvider, 'name' | 'isLive'>,
): MayCapture {
  return async (checkout) => {
    const [row] = await db.call<{ may: boolean }>('select payments.may_capture($1, $2, $3, $4) as may', [
      name,
      isLive,
      JSON.stringify(checkout),
      clock.now(),
    ]);
    return row?.may === true;
  };
}
