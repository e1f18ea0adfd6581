import type { ConsentPage, ScopeView } from '../page.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { BudgetFields } from '../parts/budget-fields.tsx';
import { ApplicationLinks, Frame, ProblemNote, UnverifiedNote } from '../parts/frame.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { consent } = texts;

export function Consent({ page }: { page: ConsentPage }) {
  const { form, application, account, budget, resources, problem } = page;
  // The budget says what this scope would.
  const scopes = page.scopes.filter(({ name }) => budget === null || name !== 'credits:spend');
  return (
    <Frame heading={headingOf(page)} application={application}>
      <UnverifiedNote application={application} />
      <AccountRow account={account} form={form} />
      <ProblemNote problem={problem} id="problem" />
      <PageForm form={form} className="stack">
        <div>
          <p className="lead" id="scopes">
            {scopes.length > 0 ? consent.lead(application.name) : consent.budgetOnly(application.name)}
          </p>
          {scopes.length > 0 && (
            <ul className="scopes" aria-labelledby="scopes">
              {scopes.map((scope) => (
                <Scope key={scope.name} scope={scope} isMarked={scopes.some(({ isNew }) => !isNew)} />
              ))}
            </ul>
          )}
        </div>
        {resources.length > 0 && <p className="hint">{consent.resources(resources)}</p>}
        {budget !== null && <BudgetFields budget={budget} problem={problem} />}
        <div className="choices">
          <Submit decision="allow">{consent.allow}</Submit>
          <Submit kind="other" decision="deny">
            {consent.deny}
          </Submit>
        </div>
        <p className="hint">{consent.after(application.name, application.host)}</p>
      </PageForm>
      <ApplicationLinks application={application} />
    </Frame>
  );
}

/** New ones are marked where some were allowed before. */
function Scope({ scope, isMarked }: { scope: ScopeView; isMarked: boolean }) {
  const { name, description, isNew } = scope;
  return (
    <li>
      <svg viewBox="0 0 20 20" aria-hidden="true" focusable="false">
        <path d="M4.5 10.5l3.6 3.6 7.4-8" />
      </svg>
      <span>
        {texts.scopes[name] ?? description ?? texts.unknownScope(name)}
        {isMarked && isNew && <span className="badge">{consent.newOnly}</span>}
      </span>
    </li>
  );
}
