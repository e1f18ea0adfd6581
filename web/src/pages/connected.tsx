import type { ConnectedPage, ConnectedRow, ConnectPage } from '../account-pages.ts';
import { dayOf } from '../format.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { DoneNote, Frame, ProblemNote } from '../parts/frame.tsx';
import { OwnLinks } from '../parts/own-links.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { Part } from '../parts/part.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { connect, connected } = texts;

export function Connected({ page }: { page: ConnectedPage }) {
  const { account, offers, done, problem } = page;
  return (
    <Frame heading={headingOf(page)} lead={page.connected.length === 0 ? connected.none : connected.lead}>
      <DoneNote>{done && connected.done[done]}</DoneNote>
      <ProblemNote problem={problem} id="problem" />
      <AccountRow account={account} />
      {page.connected.map((row) => (
        <Row key={row.id} row={row} />
      ))}
      {offers.length > 0 && (
        <Part heading={connected.add} lead={connected.addLead}>
          {offers.map(({ provider, form }) => (
            <PageForm key={provider} form={form}>
              <Submit kind="other">{connected.connect(provider)}</Submit>
            </PageForm>
          ))}
        </Part>
      )}
      <OwnLinks />
    </Frame>
  );
}

function Row({ row: { provider, email, createdAt, lastUsedAt, removal } }: { row: ConnectedRow }) {
  return (
    <Part heading={provider} lead={connected.about(dayOf(createdAt), dayOf(lastUsedAt))}>
      {email !== null && <p className="detail">{email}</p>}
      <PageForm form={removal}>
        <Submit kind="quiet">{connected.disconnect(provider)}</Submit>
      </PageForm>
    </Part>
  );
}

export function Connect({ page }: { page: ConnectPage }) {
  const { provider, url, cancelUrl } = page;
  return (
    <Frame heading={headingOf(page)} lead={connect.lead(provider)}>
      <a className="button main" href={url}>
        {connect.go(provider)}
      </a>
      <p className="after">
        <a href={cancelUrl}>{connect.cancel}</a>
      </p>
    </Frame>
  );
}
