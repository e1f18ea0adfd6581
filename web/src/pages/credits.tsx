import type { CheckoutPage, CreditsPage } from '../credits-pages.ts';
import { creditUnitsOf } from '../format.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { DoneNote, Frame, ProblemNote } from '../parts/frame.tsx';
import { OwnLinks } from '../parts/own-links.tsx';
import { Purchases } from '../parts/purchases.tsx';
import { Need, Packs, Plans } from '../parts/shop.tsx';
import { Subscription } from '../parts/subscription.tsx';
import { TopUp } from '../parts/top-up.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';
import { useLivePage } from '../use-live-page.ts';

const words = texts.credits;

export function Credits({ page: given }: { page: CreditsPage }) {
  const page = useLivePage(given);
  const { scale, shop, need, plans, subscription, done, problem } = page;
  return (
    <Frame heading={headingOf(page)} lead={words.lead}>
      <DoneNote>{done && words.done[done]}</DoneNote>
      <Arrival page={page} />
      <ProblemNote problem={problem} id="problem" />
      <AccountRow account={page.account} />
      <Balance page={page} />
      {shop.isTest && <p className="caution">{words.test}</p>}
      {need !== null && <Need need={need} shop={shop} scale={scale} />}
      <Packs shop={shop} scale={scale} proposed={need?.pack ?? null} />
      {subscription !== null && <Subscription subscription={subscription} scale={scale} />}
      {plans !== null && <Plans plans={plans} providers={shop.providers} scale={scale} />}
      {page.topUp !== null && <TopUp topUp={page.topUp} packs={shop.packs} scale={scale} problem={problem} />}
      <Purchases purchases={page.purchases} moreCount={page.moreCount} scale={scale} />
      <OwnLinks />
    </Frame>
  );
}

/** What somebody who comes back from a checkout waits to read; it changes by itself, and is read out then. */
function Arrival({ page: { arrival, scale, refreshUrl } }: { page: CreditsPage }) {
  if (arrival === null) return null;
  const { state, checkoutUrl } = arrival;
  return (
    <div className={state === 'failed' ? 'problem' : 'done'} data-state={state}>
      <p role="status">{words.arrival(arrival, scale)}</p>
      {state === 'waiting' && (
        <noscript>
          <a href={withoutNow(refreshUrl)}>{words.lookAgain}</a>
        </noscript>
      )}
      {checkoutUrl !== null && state === 'cancelled' && (
        <p>
          <a href={checkoutUrl}>{words.payAfterAll}</a>
        </p>
      )}
    </div>
  );
}

/** The page itself, at the address that answers with its facts. */
function withoutNow(refreshUrl: string): string {
  return refreshUrl.replace('/now', '');
}

function Balance({ page }: { page: CreditsPage }) {
  const { available, debt, scale } = page;
  return (
    <div className="balance">
      <p className="sum">
        <strong>{creditUnitsOf(available, scale)}</strong> {words.available(available, scale)}
      </p>
      <p className="hint">{words.breakdown(page)}</p>
      {debt > 0 && <p className="caution">{words.debt(debt, scale)}</p>}
    </div>
  );
}

/** The browser goes on by itself, as the answer's `Refresh` says. */
export function Checkout({ page }: { page: CheckoutPage }) {
  return (
    <Frame heading={headingOf(page)} lead={texts.checkout.lead(page.host)}>
      <a className="button main" href={page.url}>
        {texts.checkout.go}
      </a>
    </Frame>
  );
}
