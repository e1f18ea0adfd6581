import { useId } from 'react';
import type { RequestAccessPage } from '../page.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { Frame, ProblemNote } from '../parts/frame.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { requestAccess } = texts;
const messageCharactersMax = 1000;

export function RequestAccess({ page }: { page: RequestAccessPage }) {
  const { form, application, account, state, reason, problem } = page;
  return (
    <Frame heading={headingOf(page)} lead={requestAccess.leads[state]} application={application}>
      {reason !== null && (
        <blockquote className="reason">
          <p className="hint">{requestAccess.reason}</p>
          <p>{reason}</p>
        </blockquote>
      )}
      <AccountRow account={account} form={form} />
      <ProblemNote problem={problem} id="problem" />
      {state !== 'pending' && (
        <PageForm form={form} className="stack">
          <Message text={page.message} />
          <Submit decision="request">{requestAccess.submit}</Submit>
        </PageForm>
      )}
      {state === 'pending' && (
        <PageForm form={form} className="stack">
          <Submit kind="other" decision="look">
            {requestAccess.look}
          </Submit>
        </PageForm>
      )}
      <PageForm form={form} className="after">
        <Submit kind="quiet" decision="cancel">
          {requestAccess.cancel(application.name)}
        </Submit>
      </PageForm>
    </Frame>
  );
}

function Message({ text }: { text: string }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>
        {requestAccess.message}
        <span className="note"> ({texts.register.optional})</span>
      </label>
      <div className="frame">
        <textarea
          id={id}
          name="message"
          rows={3}
          maxLength={messageCharactersMax}
          defaultValue={text}
          aria-describedby={`${id}-hint`}
        />
      </div>
      <div className="hint" id={`${id}-hint`}>
        {requestAccess.messageHint}
      </div>
    </div>
  );
}
