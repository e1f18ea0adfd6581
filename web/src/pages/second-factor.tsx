import type { Problem } from '../page.ts';
import type { FactorNeededPage, SecondFactorPage } from '../security-pages.ts';
import { Field, PasswordField } from '../parts/field.tsx';
import { Frame, ProblemNote } from '../parts/frame.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { PasskeyForm } from '../parts/passkey-form.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { factorNeeded, secondFactor } = texts;

export function SecondFactor({ page }: { page: SecondFactorPage }) {
  const { form, application, reason, methods, passkey, canRemember, backUrl, problem } = page;
  const takesPassword = methods.includes('password');
  const lead = methods.includes('totp') ? 'totp' : takesPassword ? 'password' : 'passkey';
  const takesCode = methods.includes('totp') || methods.includes('backup_code');
  const field = takesPassword ? 'password' : takesCode ? 'code' : null;
  const isSaidThere = problem === null || problem.field === field;
  return (
    <Frame heading={headingOf(page)} lead={secondFactor.leads[lead]} application={application}>
      <ProblemNote problem={isSaidThere ? problem : { code: problem.code }} id="problem" />
      {(takesCode || takesPassword) && (
        <PageForm form={form} className="stack">
          {takesPassword ? (
            <PasswordField
              name="password"
              label={texts.fields.password}
              autoComplete="current-password"
              autoFocus
              required
              problem={problem}
            />
          ) : (
            <CodeField label={secondFactor.code} problem={problem} isFirst={methods.includes('totp')} />
          )}
          {canRemember && (
            <label className="check">
              <input type="checkbox" name="rememberDevice" value="on" />
              {secondFactor.remember}
            </label>
          )}
          <Submit>{secondFactor.submit}</Submit>
        </PageForm>
      )}
      {passkey !== null && <PasskeyForm call={{ kind: 'get', ...passkey }}>{texts.passkey.use}</PasskeyForm>}
      <p className="after">
        <a href={backUrl}>{secondFactor.back[reason]}</a>
      </p>
    </Frame>
  );
}

/** For a code of an app or a backup code, which has letters, too. */
export function CodeField({ label, problem, isFirst = false }: CodeFieldProps) {
  return (
    <Field
      name="code"
      label={label}
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      autoFocus={isFirst}
      required
      minLength={6}
      maxLength={40}
      problem={problem}
    />
  );
}

type CodeFieldProps = { label: string; problem: Problem | null; isFirst?: boolean };

export function FactorNeeded({ page }: { page: FactorNeededPage }) {
  const { form, application, setUpUrl } = page;
  return (
    <Frame heading={headingOf(page)} lead={factorNeeded.lead(application.name)} application={application}>
      <a className="button main" href={setUpUrl}>
        {factorNeeded.setUp}
      </a>
      <PageForm form={form} className="stack">
        <Submit kind="other" decision="continue">
          {factorNeeded.continue}
        </Submit>
        <Submit kind="quiet" decision="cancel">
          {factorNeeded.cancel(application.name)}
        </Submit>
      </PageForm>
    </Frame>
  );
}
