import { useId, useState, useSyncExternalStore, type InputHTMLAttributes, type ReactNode } from 'react';
import type { Problem } from '../page.ts';
import { texts } from '../texts.ts';

type FieldProps = Omit<InputHTMLAttributes<HTMLInputElement>, 'id'> & {
  name: string;
  label: string;
  note?: string;
  hint?: ReactNode;
  problem: Problem | null;
  /** Stands within the frame of the field, at its end. */
  inside?: ReactNode;
};

/** A field with its label, a hint, and what is wrong with it: then the page begins here. */
export function Field({ label, note, hint, problem, inside, ...input }: FieldProps) {
  const id = useId();
  const [isEdited, setEdited] = useState(false);
  const isRefused = problem?.field === input.name;
  const refusal = isEdited ? null : refusalOf(input.name, problem);
  const descriptions = [
    ...(refusal === null ? [] : [`${id}-problem`]),
    ...(hint === undefined ? [] : [`${id}-hint`]),
  ];
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {note !== undefined && <span className="note"> ({note})</span>}
      </label>
      <div className="frame">
        <input
          {...input}
          id={id}
          autoFocus={isRefused || input.autoFocus}
          aria-invalid={refusal !== null}
          aria-describedby={descriptions.length > 0 ? descriptions.join(' ') : undefined}
          onInput={(event) => {
            setEdited(true);
            input.onInput?.(event);
          }}
        />
        {inside}
      </div>
      <p className="refusal" id={`${id}-problem`} role="alert" hidden={refusal === null}>
        {refusal}
      </p>
      {hint !== undefined && (
        <div className="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
    </div>
  );
}

type SelectFieldProps = {
  name: string;
  label: string;
  options: string[];
  value: string;
  /** What options are called that are not called as they are. */
  labels?: Record<string, string>;
};

/** A choice of one among a few. */
export function SelectField({ name, label, options, value, labels = {} }: SelectFieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="frame choice">
        <select id={id} name={name} defaultValue={value}>
          {options.map((option) => (
            <option key={option} value={option}>
              {labels[option] ?? option}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

/** A password, which JavaScript can show. */
export function PasswordField({ label, ...input }: Omit<FieldProps, 'inside' | 'type'>) {
  const [isShown, setShown] = useState(false);
  const isLive = useIsLive();
  const toggle = (
    <button type="button" className="reveal" aria-pressed={isShown} onClick={() => setShown(!isShown)}>
      <Eye isOpen={isShown} />
      <span className="visually-hidden">{texts.fields.showPassword}</span>
    </button>
  );
  return (
    <Field
      {...input}
      label={label}
      type={isShown ? 'text' : 'password'}
      autoCapitalize="none"
      spellCheck={false}
      inside={isLive ? toggle : undefined}
    />
  );
}

/** A new password, with a hint that follows the typing. The server alone decides. */
export function NewPasswordField({ label, problem, autoFocus = false, name }: NewPasswordProps) {
  const [state, setState] = useState({ length: 0, isEmail: false });
  return (
    <PasswordField
      name={name}
      label={label}
      problem={problem}
      autoComplete="new-password"
      autoFocus={autoFocus}
      required
      minLength={passwordCharactersMin}
      hint={<span aria-live="polite">{hintFor(state)}</span>}
      onInput={({ currentTarget: { value, form } }) => {
        const email = form?.elements.namedItem('email');
        const isEmail =
          email instanceof HTMLInputElement &&
          value !== '' &&
          value.toLowerCase() === email.value.toLowerCase();
        setState({ length: Array.from(value).length, isEmail });
      }}
    />
  );
}

type NewPasswordProps = { name: string; label: string; problem: Problem | null; autoFocus?: boolean };

const passwordCharactersMin = 8;

function hintFor({ length, isEmail }: { length: number; isEmail: boolean }): string {
  if (length === 0) return texts.fields.passwordHint;
  if (length < passwordCharactersMin) return texts.fields.passwordMissing(passwordCharactersMin - length);
  return isEmail ? texts.fields.passwordIsEmail : texts.fields.passwordLong;
}

function refusalOf(name: string, problem: Problem | null): string | null {
  if (problem?.field !== name) return null;
  if (problem.code === 'auth.password_unacceptable' && problem.detail !== undefined)
    return texts.passwordProblem(problem.detail);
  if (problem.code === 'request.invalid') {
    if (name === 'email') return texts.emailProblem;
    if (problem.detail !== undefined) return texts.fieldProblem(problem.detail);
  }
  const words = texts.problems[problem.code];
  if (words) return `${words.title}. ${words.detail}`;
  return problem.detail ?? texts.problems['request.invalid'].detail;
}

/** Whether JavaScript runs: false in the HTML of the server, true from the first moment after. */
function useIsLive(): boolean {
  return useSyncExternalStore(
    () => () => {},
    () => true,
    () => false,
  );
}

function Eye({ isOpen }: { isOpen: boolean }) {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" />
      <circle cx="12" cy="12" r="2.75" />
      {!isOpen && <path d="M4.5 19.5l15-15" />}
    </svg>
  );
}
