import { useState } from 'react';
import type { BudgetView } from '../budget-view.ts';
import { fieldTextOf, unitsOfField } from '../format.ts';
import type { Problem } from '../page.ts';
import { texts } from '../texts.ts';
import { Field } from './field.tsx';
import { Coin } from './marks.tsx';

type BudgetFieldsProps = { budget: BudgetView; problem: Problem | null; canRaise?: boolean };

/** A budget in words, and two fields to change it; with JavaScript the words follow the fields. */
export function BudgetFields({ budget, problem, canRaise = false }: BudgetFieldsProps) {
  const { current, period, creditsPerEur, scale, typed } = budget;
  const most = canRaise ? null : budget.allowance;
  const mostPerSpend = canRaise ? null : (budget.maxPerSpend ?? budget.allowance);
  const [allowance, setAllowance] = useState(
    () => readField(typed?.allowance ?? '', most, scale) ?? budget.allowance,
  );
  const [maxPerSpend, setMaxPerSpend] = useState(() =>
    typed?.maxPerSpend === ''
      ? null
      : (readField(typed?.maxPerSpend ?? '', mostPerSpend, scale) ?? budget.maxPerSpend),
  );
  const terms = { allowance, maxPerSpend: lowestOf(allowance, maxPerSpend), period };
  return (
    <fieldset className="budget">
      <legend className="visually-hidden">{texts.budget.heading}</legend>
      <p className="sum" aria-live="polite">
        <Coin className="coin small" />
        <span>{texts.budget.sentence(terms, scale)}</span>
      </p>
      <div className="pair">
        <CreditsField
          name="allowance"
          label={texts.budget.allowance[period]}
          text={typed?.allowance ?? fieldTextOf(budget.allowance, scale)}
          max={most}
          scale={scale}
          isRequired
          problem={problem}
          onUnits={(units) => units !== null && setAllowance(units)}
        />
        <CreditsField
          name="maxPerSpend"
          label={texts.budget.maxPerSpend}
          text={typed?.maxPerSpend ?? textOf(budget.maxPerSpend, scale)}
          max={mostPerSpend}
          scale={scale}
          isRequired={!canRaise && budget.maxPerSpend !== null}
          problem={problem}
          onUnits={setMaxPerSpend}
        />
      </div>
      <p className="hint">
        {!canRaise && `${texts.budget.lower} `}
        {texts.budget.kinds(budget)} {texts.budget.worth({ allowance, creditsPerEur, scale })}
      </p>
      {current !== null && !canRaise && <p className="hint">{texts.budget.before(current, scale)}</p>}
    </fieldset>
  );
}

type CreditsFieldProps = {
  name: string;
  label: string;
  text: string;
  /** In units; null for any number. */
  max: number | null;
  scale: number;
  isRequired: boolean;
  problem: Problem | null;
  /** Called with the units of each number up to `max`, and with null for an empty field. */
  onUnits: (units: number | null) => void;
};

/** A field for a number of credits. */
function CreditsField({ name, label, text, max, scale, isRequired, problem, onUnits }: CreditsFieldProps) {
  return (
    <Field
      name={name}
      label={label}
      type="number"
      inputMode={scale === 0 ? 'numeric' : 'decimal'}
      autoComplete="off"
      min={fieldTextOf(1, scale)}
      max={max === null ? undefined : fieldTextOf(max, scale)}
      step={fieldTextOf(1, scale)}
      defaultValue={text}
      placeholder={isRequired ? undefined : texts.budget.noMaxPerSpend}
      required={isRequired}
      problem={problem}
      onInput={({ currentTarget: { value } }) => {
        const units = readField(value, max, scale);
        if (value === '' || units !== null) onUnits(units);
      }}
    />
  );
}

function textOf(units: number | null, scale: number): string {
  return units === null ? '' : fieldTextOf(units, scale);
}

/** The units in a field; null for what would be refused. */
function readField(text: string, max: number | null, scale: number): number | null {
  const units = unitsOfField(text, scale);
  return units === null || units < 1 || (max !== null && units > max) ? null : units;
}

/** More at a time than in all says nothing. */
function lowestOf(allowance: number, maxPerSpend: number | null): number | null {
  return maxPerSpend === null || maxPerSpend >= allowance ? null : maxPerSpend;
}
