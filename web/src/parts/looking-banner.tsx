import { timeOf } from '../format.ts';
import type { LookingView } from '../shown-page.ts';
import { texts } from '../texts.ts';
import { PageForm, Submit } from './page-form.tsx';

const { looking } = texts;

/** Above every page of somebody whose account an administrator looks at. */
export function LookingBanner({ view: { until, stop } }: { view: LookingView }) {
  return (
    <aside className="looking" aria-label={looking.heading}>
      <p>{looking.lead(timeOf(until))}</p>
      <PageForm form={stop}>
        <Submit kind="other">{looking.stop}</Submit>
      </PageForm>
    </aside>
  );
}
