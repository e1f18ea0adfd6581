import { useId } from 'react';
import { dayOf } from '../format.ts';
import type { AccessRequestsPage, AccessRequestView } from '../page.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { Field, SelectField } from '../parts/field.tsx';
import { DoneNote, Frame, ProblemNote } from '../parts/frame.tsx';
import { OwnLinks } from '../parts/own-links.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { accessRequests } = texts;
const reasonCharactersMax = 500;

export function AccessRequests({ page }: { page: AccessRequestsPage }) {
  const { account, requests, moreCount, decided, signInUrl, problem } = page;
  const lead = requests.length === 0 ? accessRequests.leadNone : accessRequests.lead;
  return (
    <Frame heading={headingOf(page)} lead={lead}>
      <DoneNote>{decided && accessRequests.decided[decided]}</DoneNote>
      <ProblemNote problem={problem} id="problem" />
      <AccountRow account={account} />
      {requests.map((request) => (
        <Request key={request.id} request={request} />
      ))}
      {moreCount > 0 && <p className="after">{accessRequests.more(moreCount)}</p>}
      <p className="after">
        <a href={signInUrl}>{texts.account.other}</a>
      </p>
      <OwnLinks />
    </Frame>
  );
}

/** One request, with a form of its own. */
function Request({ request }: { request: AccessRequestView }) {
  const { form, applicationName, person, message, askedAt, roles, defaultRole } = request;
  const id = useId();
  return (
    <section className="request stack" aria-labelledby={id}>
      <div>
        <h2 id={id}>{person.name ?? person.email}</h2>
        {person.name !== null && <p className="lead">{person.email}</p>}
        <p>{accessRequests.wants(applicationName, dayOf(askedAt))}</p>
      </div>
      {!person.isEmailVerified && <p className="caution">{accessRequests.unconfirmed}</p>}
      {message !== null && (
        <blockquote className="reason">
          <p>{message}</p>
        </blockquote>
      )}
      <PageForm form={form} className="stack">
        <SelectField name="role" label={accessRequests.role} options={roles} value={defaultRole} />
        <Field
          name="reason"
          label={accessRequests.reason}
          note={accessRequests.reasonNote}
          autoComplete="off"
          maxLength={reasonCharactersMax}
          problem={null}
        />
        <div className="choices">
          <Submit decision="approve">{accessRequests.approve}</Submit>
          <Submit kind="other" decision="deny">
            {accessRequests.deny}
          </Submit>
        </div>
      </PageForm>
    </section>
  );
}
