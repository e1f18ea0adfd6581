import { useId } from 'react';
import { dayOf } from '../format.ts';
import type { PurchaseRow } from '../credits-pages.ts';
import { texts } from '../texts.ts';
import { Field } from './field.tsx';
import { PageForm, Submit } from './page-form.tsx';
import { Part } from './part.tsx';

const words = texts.credits;
const reasonCharactersMax = 500;

type PurchasesProps = { purchases: PurchaseRow[]; moreCount: number; scale: number };

/** What somebody has bought, the newest first. */
export function Purchases({ purchases, moreCount, scale }: PurchasesProps) {
  if (purchases.length === 0) return <Part heading={words.history} lead={words.historyNone} />;
  return (
    <Part heading={words.history}>
      <ul className="purchases">
        {purchases.map((purchase) => (
          <Purchase key={purchase.id} purchase={purchase} scale={scale} />
        ))}
      </ul>
      {moreCount > 0 && <p className="hint">{words.more(moreCount)}</p>}
    </Part>
  );
}

function Purchase({ purchase, scale }: { purchase: PurchaseRow; scale: number }) {
  const { title, priceCents, currency, createdAt, checkoutUrl, refund } = purchase;
  const id = useId();
  const pack = { id: '', name: title, credits: purchase.credits, priceCents, currency };
  return (
    <li className="purchase">
      <div className="row">
        <p id={id}>
          <strong>{title}</strong> <span className="detail">{words.boughtOn(createdAt)}</span>
        </p>
        <p className="price">{words.price(pack)}</p>
      </div>
      <p className="detail">
        {words.packCredits(pack, scale)} · {stateOf(purchase)}
      </p>
      {checkoutUrl !== null && (
        <p>
          <a href={checkoutUrl}>
            {words.payNow}
            <span className="visually-hidden">: {words.payNowFor(purchase)}</span>
          </a>
        </p>
      )}
      {refund !== null && (
        <details>
          <summary>
            {words.refund}
            <span className="visually-hidden">
              : {title}, {dayOf(createdAt)}
            </span>
          </summary>
          <PageForm form={refund} className="stack">
            <p className="hint">{words.refundLead}</p>
            <Field
              name="reason"
              label={words.reason}
              autoComplete="off"
              required
              maxLength={reasonCharactersMax}
              problem={null}
            />
            <Submit>{words.refundSubmit}</Submit>
          </PageForm>
        </details>
      )}
    </li>
  );
}

function stateOf(purchase: PurchaseRow): string {
  const { status, refundedCents, isRefundAsked } = purchase;
  if (isRefundAsked) return words.refundAsked;
  if (status === 'completed' && refundedCents > 0) return words.refundedInPart(purchase);
  return words.states[status];
}
