import { AppError } from '../../../errors.ts';
import type { Fact } from '../fact.ts';
import { readExportedObject as readPaypalObject } from '../paypal/read-exported-object.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { readExportedObject as readStripeObject } from '../stripe/read-exported-object.ts';

const factsMax = 200;

/**
 * Reads an export: lines that are each an object of the provider's API, or an event, as JSON. `asOf` is when
 * it was made, `merchantId` our account at PayPal, where that is known: what names another one as paid says
 * nothing. What is said comes in pages, as it would from the provider. Throws `request.invalid`, which names
 * the line.
 */
export async function* readExport(
  { name, isLive }: Pick<PaymentProvider, 'name' | 'isLive'>,
  lines: AsyncIterable<string>,
  { asOf, merchantId }: { asOf: Date; merchantId: string },
): AsyncGenerator<Fact[], void, undefined> {
  let page: Fact[] = [];
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    page.push(
      ...readLine(line, number, (object) =>
        name === 'stripe' ? readStripeObject(object, { isLive, asOf }) : readPaypalObject(object, merchantId),
      ),
    );
    if (page.length < factsMax) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

function readLine(line: string, number: number, read: (object: unknown) => Fact[]): Fact[] {
  try {
    return read(JSON.parse(line));
  } catch (cause) {
    const detail = `Line ${number} is not an object of this provider.`;
    throw new AppError('request.invalid', { detail, cause });
  }
}
