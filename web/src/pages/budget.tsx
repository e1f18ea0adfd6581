import { dayOf } from '../format.ts';
import type { BudgetPage } from '../page.ts';
import { BudgetFields } from '../parts/budget-fields.tsx';
import { Frame, ProblemNote, UnverifiedNote } from '../parts/frame.tsx';
import { AccountRow } from '../parts/account-row.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { budgetPage } = texts;

export function Budget({ page }: { page: BudgetPage }) {
  const { form, application, account, budget, used, resetsAt, isSaved, problem } = page;
  const { name } = application;
  if (isSaved) {
    return (
      <Frame heading={headingOf(page)} lead={budgetPage.saved(name)} application={application}>
        <p className="hint">{texts.budget.sentence(budget, budget.scale)}</p>
      </Frame>
    );
  }
  const { current } = budget;
  const state =
    current === null ? budgetPage.leadFirst(name) : budgetPage.lead(name, used, current, budget.scale);
  const resets = resetsAt === null ? '' : ` ${budgetPage.resets(dayOf(resetsAt))}`;
  return (
    <Frame heading={headingOf(page)} lead={`${state}${resets} ${budgetPage.raise}`} application={application}>
      <UnverifiedNote application={application} />
      <AccountRow account={account} />
      <ProblemNote problem={problem} id="problem" />
      <PageForm form={form} className="stack">
        <BudgetFields budget={budget} problem={problem} canRaise />
        <div className="choices">
          <Submit decision="save">{budgetPage.save}</Submit>
          <Submit kind="other" decision="cancel">
            {current === null ? budgetPage.cancelFirst : budgetPage.cancel}
          </Submit>
        </div>
      </PageForm>
    </Frame>
  );
}
