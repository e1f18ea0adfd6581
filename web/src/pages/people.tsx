import type { PeoplePage, PersonRow } from '../admin-pages.ts';
import { dayOf } from '../format.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { Field, SelectField } from '../parts/field.tsx';
import { Frame } from '../parts/frame.tsx';
import { OwnLinks } from '../parts/own-links.tsx';
import { Pager } from '../parts/pager.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { people, person } = texts;
const searchCharactersMax = 254;

export function People({ page }: { page: PeoplePage }) {
  const { account, olderUrl, newestUrl, total, isEstimate, scale } = page;
  return (
    <Frame heading={headingOf(page)} lead={people.lead}>
      <AccountRow account={account} />
      <Search page={page} />
      <p role="status">{page.people.length === 0 ? people.none : people.count(total, isEstimate)}</p>
      <ol className="index">
        {page.people.map((row) => (
          <Row key={row.id} row={row} scale={scale} />
        ))}
      </ol>
      <Pager label={people.pages} olderUrl={olderUrl} newestUrl={newestUrl} />
      <OwnLinks />
    </Frame>
  );
}

/** Changes nothing, so the address holds all of it. */
function Search({ page: { searchUrl, search, show } }: { page: PeoplePage }) {
  return (
    <form method="get" action={searchUrl} role="search" className="stack">
      <Field
        name="search"
        type="search"
        label={people.search}
        hint={people.searchHint}
        defaultValue={search}
        autoComplete="off"
        autoCapitalize="none"
        maxLength={searchCharactersMax}
        problem={null}
      />
      <SelectField
        name="show"
        label={people.show}
        options={Object.keys(people.shown)}
        value={show}
        labels={people.shown}
      />
      <button type="submit" className="button other">
        {people.find}
      </button>
    </form>
  );
}

function Row({ row, scale }: { row: PersonRow; scale: number }) {
  const { email, name, isAdministrator, state, credits, createdAt, url } = row;
  const details = [
    ...(name === null ? [] : [email]),
    ...(isAdministrator ? [people.administrator] : []),
    ...(state === 'active' ? [] : [person.states[state]]),
    people.credits(credits, scale),
    people.since(dayOf(createdAt)),
  ];
  return (
    <li>
      <a href={url}>{name ?? email}</a>
      <p className="detail">{details.join(' · ')}</p>
    </li>
  );
}
