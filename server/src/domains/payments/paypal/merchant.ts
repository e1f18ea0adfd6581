import { JsonError, readList, readMember, readOptionalText, readText, type Json } from './json.ts';
import { expectBody, readAnswer, type PaypalClient } from './paypal-client.ts';

/** Why an order or a capture counts for nothing: it pays somebody else, or does not say whom. */
export type PayeeProblem = 'wrong_payee' | 'payee_unknown';

/** Our account at PayPal, which must be paid. */
export type Merchant = {
  /** Null when this unit of an order, or this capture, pays our account. Throws what `readAnswer` throws. */
  findProblem(of: Json): Promise<PayeeProblem | null>;
  /** Learns who we are from an order that we have opened: one that names no payee pays whoever opens it. */
  learn(order: Json): void;
};

/**
 * Knows our account by `merchantId`; where that is empty, from the first order that we open. When something
 * is to be judged before that, an order is opened for it that nobody is sent to, and that PayPal forgets.
 */
export function createMerchant(client: PaypalClient, merchantId: string): Merchant {
  let known = merchantId;
  const learn = (order: Json): void => {
    const payeeId = readPayeeId(firstUnitOf(order));
    if (known === '' && payeeId !== null) known = payeeId;
  };
  const askForId = async (): Promise<string> => {
    if (known !== '') return known;
    const unit = { reference_id: 'merchant', amount: { currency_code: 'EUR', value: '1.00' } };
    const answer = await client.call('POST', '/v2/checkout/orders', {
      requestId: 'obol-merchant',
      body: { intent: 'CAPTURE', purchase_units: [unit] },
    });
    await readAnswer(async () => {
      const opened = expectBody(answer);
      learn(opened);
      if (known !== '') return;
      const path = `/v2/checkout/orders/${encodeURIComponent(readText(opened, 'id'))}`;
      learn(expectBody(await client.call('GET', path)));
      if (known === '') throw new JsonError('orders name no payee: PAYPAL_MERCHANT_ID must say who is paid');
    });
    return known;
  };
  return {
    learn,
    async findProblem(of) {
      const payeeId = readPayeeId(of);
      if (payeeId === null) return 'payee_unknown';
      return payeeId === (await askForId()) ? null : 'wrong_payee';
    },
  };
}

/** Whom a unit of an order, or a capture, pays; null where it does not say. Throws JsonError. */
export function readPayeeId(of: Json): string | null {
  const payee = readMember(of, 'payee');
  return payee && readOptionalText(payee, 'merchant_id');
}

/** What an order is for; we open orders of one unit only. Throws JsonError. */
export function firstUnitOf(order: Json): Json {
  const [unit] = readList(order, 'purchase_units');
  if (!unit) throw new JsonError('purchase_units is empty');
  return unit;
}
