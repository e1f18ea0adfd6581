import type { EventRow, EventsPage } from '../account-pages.ts';
import { timeOf } from '../format.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { Frame } from '../parts/frame.tsx';
import { OwnLinks } from '../parts/own-links.tsx';
import { Pager } from '../parts/pager.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { events } = texts;

export function Events({ page }: { page: EventsPage }) {
  const { account, olderUrl, newestUrl } = page;
  return (
    <Frame heading={headingOf(page)} lead={events.lead}>
      <AccountRow account={account} />
      {page.events.length === 0 && <p>{events.none}</p>}
      <ol className="index">
        {page.events.map((row) => (
          <Event key={row.id} row={row} />
        ))}
      </ol>
      <Pager label={events.pages} olderUrl={olderUrl} newestUrl={newestUrl} />
      <OwnLinks />
    </Frame>
  );
}

function Event({ row: { type, about, device, ipAddress, createdAt } }: { row: EventRow }) {
  // What the service did by itself, or an administrator, came from no device.
  const place = ipAddress === null ? [] : [device ?? events.unknownDevice, ipAddress];
  return (
    <li>
      <p>
        <strong>{events.types[type] ?? type}</strong>
        {about !== null && `: ${about}`}
      </p>
      <p className="detail">
        <time dateTime={createdAt}>{timeOf(createdAt)}</time>
        {place.map((part) => ` · ${part}`)}
      </p>
    </li>
  );
}
