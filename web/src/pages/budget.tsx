import { dayOf } from '../format.ts';
import type { BudgetPage } from '../page.ts';
import { BudgetFields } from '../parts/budget-fields.tsx';
import { Frame, ProblemNote } from '../parts/frame.tsx';
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
        <p className="hint">{texts.budget.sentence(budget)}</p>
      </Frame>
    );
  }
  const resets = resetsAt === null ? '' : ` ${budgetPage.resets(dayOf(resetsAt))}`;
  return (
    <Frame
      heading={headingOf(page)}
      lead={`${budgetPage.lead(name, used, budget)}${resets} ${budgetPage.raise}`}
      application={application}
    >
      <AccountRow account={account} />
      <ProblemNote problem={problem} id="problem" />
      <PageForm form={form} className="stack">
        <BudgetFields budget={budget} problem={problem} canRaise />
        <div className="choices">
          <Submit decision="save">{budgetPage.save}</Submit>
          <Submit kind="other" decision="cancel">
            {budgetPage.cancel}
          </Submit>
        </div>
      </PageForm>
    </Frame>
  );
}
