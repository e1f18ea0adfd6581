import { useState } from 'react';
import type { BudgetView } from '../budget-view.ts';
import type { Problem } from '../page.ts';
import { texts } from '../texts.ts';
import { Field } from './field.tsx';
import { Coin } from './marks.tsx';

type BudgetFieldsProps = { budget: BudgetView; problem: Problem | null; canRaise?: boolean };

/** A budget in words, and two fields to change it; with JavaScript the words follow the fields. */
export function BudgetFields({ budget, problem, canRaise = false }: BudgetFieldsProps) {
  const [allowance, setAllowance] = useState(budget.allowance);
  const [maxPerSpend, setMaxPerSpend] = useState(budget.maxPerSpend);
  const terms = { allowance, maxPerSpend: lowestOf(allowance, maxPerSpend), period: budget.period };
  const { current, period, creditsPerEur } = budget;
  return (
    <fieldset className="budget">
      <legend className="visually-hidden">{texts.budget.heading}</legend>
      <p className="sum" aria-live="polite">
        <Coin className="coin small" />
        <span>{texts.budget.sentence(terms)}</span>
      </p>
      <div className="pair">
        <NumberField
          name="allowance"
          label={texts.budget.allowance[period]}
          value={budget.allowance}
          max={canRaise ? null : budget.allowance}
          isRequired
          problem={problem}
          onNumber={(amount) => amount !== null && setAllowance(amount)}
        />
        <NumberField
          name="maxPerSpend"
          label={texts.budget.maxPerSpend}
          value={budget.maxPerSpend}
          max={canRaise ? null : (budget.maxPerSpend ?? budget.allowance)}
          isRequired={!canRaise && budget.maxPerSpend !== null}
          problem={problem}
          onNumber={setMaxPerSpend}
        />
      </div>
      <p className="hint">
        {!canRaise && `${texts.budget.lower} `}
        {texts.budget.kinds(budget)} {texts.budget.worth({ allowance, creditsPerEur })}
      </p>
      {current !== null && !canRaise && <p className="hint">{texts.budget.before(current)}</p>}
    </fieldset>
  );
}

type NumberFieldProps = {
  name: string;
  label: string;
  value: number | null;
  max: number | null;
  isRequired: boolean;
  problem: Problem | null;
  /** Called with each whole number from 1 to `max`, and with null for an empty field. */
  onNumber: (amount: number | null) => void;
};

function NumberField({ name, label, value, max, isRequired, problem, onNumber }: NumberFieldProps) {
  return (
    <Field
      name={name}
      label={label}
      type="number"
      inputMode="numeric"
      autoComplete="off"
      min={1}
      max={max ?? undefined}
      step={1}
      defaultValue={value ?? ''}
      placeholder={isRequired ? undefined : texts.budget.noMaxPerSpend}
      required={isRequired}
      problem={problem}
      onInput={({ currentTarget }) => {
        if (currentTarget.value === '') onNumber(null);
        else if (currentTarget.validity.valid) onNumber(currentTarget.valueAsNumber);
      }}
    />
  );
}

/** More at a time than in all says nothing. */
function lowestOf(allowance: number, maxPerSpend: number | null): number | null {
  return maxPerSpend === null || maxPerSpend >= allowance ? null : maxPerSpend;
}
