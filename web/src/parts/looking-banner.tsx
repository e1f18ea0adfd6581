import { timeOf } from '../format.ts';
import type { LookingView } from '../shown-page.ts';
import { texts } from '../texts.ts';
import { PageForm, Submit } from './page-form.tsx';

const { looking } = texts;

/** Above every page while an administrator looks at somebody's account: whose it is, and the way to stop. */
export function LookingBanner({ view: { email, until, stop, isShown } }: { view: LookingView }) {
  return (
    <aside className="looking" aria-label={looking.heading}>
      <p>{isShown ? looking.lead(email, timeOf(until)) : looking.besides(email)}</p>
      <PageForm form={stop}>
        <Submit kind="other">{looking.stop}</Submit>
      </PageForm>
    </aside>
  );
}
