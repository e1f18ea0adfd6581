import type { PackView, TopUpView } from '../credits-pages.ts';
import type { Problem } from '../page.ts';
import { texts } from '../texts.ts';
import { Field } from './field.tsx';
import { Offers } from './offers.tsx';
import { PageForm, Submit } from './page-form.tsx';
import { Part } from './part.tsx';

const words = texts.credits;

type TopUpProps = { topUp: TopUpView; packs: PackView[]; scale: number; problem: Problem | null };

/** What is bought by itself, and how to agree to that or end it. */
export function TopUp({ topUp, packs, scale, problem }: TopUpProps) {
  const { status, reason, end } = topUp;
  return (
    <Part heading={words.topUp} lead={words.topUpLead}>
      {status === 'active' && <p>{words.topUpActive(topUp, scale)}</p>}
      {status === 'paused' && <p className="caution">{words.topUpPaused(reason)}</p>}
      <details open={topUp.typed.isAgain}>
        <summary>{status === 'off' ? words.topUpSetUp : words.topUpChange}</summary>
        <TopUpForm topUp={topUp} packs={packs} scale={scale} problem={problem} />
      </details>
      {end !== null && (
        <PageForm form={end}>
          <Submit kind="quiet">{words.topUpEnd}</Submit>
        </PageForm>
      )}
    </Part>
  );
}

function TopUpForm({ topUp, packs, scale, problem }: TopUpProps) {
  const { form, currency, typed } = topUp;
  const offers = packs
    .filter((pack) => pack.currency === currency)
    .map((pack) => ({
      id: pack.id,
      name: pack.name,
      detail: words.packCredits(pack, scale),
      price: words.price(pack),
    }));
  return (
    <PageForm form={form} className="stack">
      <Offers
        legend={words.pack}
        name="packageId"
        offers={offers}
        chosen={typed.packageId ?? offers[0]?.id}
      />
      <NumberField name="threshold" label={words.threshold} value={typed.threshold} problem={problem} />
      <NumberField
        name="monthlyCap"
        label={words.monthlyCap(currency)}
        value={typed.monthlyCap}
        problem={problem}
      />
      <Submit kind="main">{words.topUpAgree}</Submit>
    </PageForm>
  );
}

type NumberFieldProps = { name: string; label: string; value: string; problem: Problem | null };

function NumberField({ name, label, value, problem }: NumberFieldProps) {
  return (
    <Field
      name={name}
      label={label}
      type="number"
      inputMode="numeric"
      autoComplete="off"
      min={1}
      max={999_999}
      step={1}
      defaultValue={value}
      required
      problem={problem}
    />
  );
}
