import type { AccountPage, AppsPage, DeviceRow, DevicesPage } from '../account-pages.ts';
import { dayOf } from '../format.ts';
import { AccountRow } from '../parts/account-row.tsx';
import { DoneNote, Frame } from '../parts/frame.tsx';
import { OwnLinks } from '../parts/own-links.tsx';
import { PageForm, Submit } from '../parts/page-form.tsx';
import { Part } from '../parts/part.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

const { accountPage, apps, devices } = texts;

export function Account({ page }: { page: AccountPage }) {
  const { account, isOwn, waitingCount, hasElsewhere, peopleUrl, exportUrl } = page;
  const { links } = accountPage;
  const { requests } = links;
  return (
    <Frame heading={headingOf(page)} lead={accountPage.lead}>
      <AccountRow account={account} />
      <ul className="index">
        {waitingCount > 0 && (
          <Entry url="/access-requests" title={requests.title} detail={requests.detail(waitingCount)} />
        )}
        {peopleUrl !== null && <Entry url={peopleUrl} {...links.people} />}
        <Entry url="/credits" {...links.credits} />
        <Entry url="/account/apps" {...links.apps} />
        {isOwn && <Entry url="/account/security" {...links.security} />}
        {hasElsewhere && <Entry url="/account/connected" {...links.connected} />}
        <Entry url="/account/devices" {...links.devices} />
        <Entry url="/account/events" {...links.events} />
        {isOwn && <Entry url="/forgot-password" {...links.password} />}
        <Entry url="/account/keys" {...links.keys} />
        {isOwn && <Entry url="/device" {...links.device} />}
        {isOwn && <Entry url={exportUrl} {...links.export} />}
      </ul>
      {isOwn && (
        <p className="after">
          <a href="/sign-out">{texts.ownLinks.signOut}</a>
        </p>
      )}
    </Frame>
  );
}

function Entry({ url, title, detail }: { url: string; title: string; detail: string }) {
  return (
    <li>
      <a href={url}>{title}</a>
      <p className="detail">{detail}</p>
    </li>
  );
}

export function Devices({ page }: { page: DevicesPage }) {
  const { account, endingOthers, done } = page;
  return (
    <Frame heading={headingOf(page)} lead={devices.lead}>
      <DoneNote>{done && devices.done[done]}</DoneNote>
      <AccountRow account={account} />
      {page.devices.map((device) => (
        <Device key={device.id} row={device} />
      ))}
      {endingOthers !== null && (
        <PageForm form={endingOthers}>
          <Submit kind="other">{devices.endOthers}</Submit>
        </PageForm>
      )}
      <OwnLinks />
    </Frame>
  );
}

function Device({ row }: { row: DeviceRow }) {
  const { device, isImpersonated, ipAddress, createdAt, lastUsedAt, ending } = row;
  const name = isImpersonated ? devices.impersonated : (device ?? devices.unknown);
  return (
    <Part
      heading={ending === null ? `${name} (${devices.here})` : name}
      lead={devices.used(dayOf(createdAt), dayOf(lastUsedAt), ipAddress)}
    >
      {ending !== null && (
        <PageForm form={ending}>
          <Submit kind="quiet">
            {devices.end}
            <span className="visually-hidden">: {name}</span>
          </Submit>
        </PageForm>
      )}
    </Part>
  );
}

export function Apps({ page }: { page: AppsPage }) {
  const { account, moreCount, done } = page;
  return (
    <Frame heading={headingOf(page)} lead={page.apps.length === 0 ? apps.none : apps.lead}>
      <DoneNote>{done && apps.done[done]}</DoneNote>
      <AccountRow account={account} />
      {page.apps.map(({ id, appName, scopes, budgetUrl, firstUsedAt, lastUsedAt, removal }) => (
        <Part
          key={id}
          heading={appName}
          lead={apps.about(dayOf(firstUsedAt), lastUsedAt === null ? null : dayOf(lastUsedAt))}
        >
          <ul className="plain">
            {scopes.map((scope) => (
              <li key={scope}>{texts.scopes[scope] ?? texts.unknownScope(scope)}</li>
            ))}
          </ul>
          {budgetUrl !== null && (
            <p>
              <a href={budgetUrl}>
                {apps.budget}
                <span className="visually-hidden">: {appName}</span>
              </a>
            </p>
          )}
          <PageForm form={removal}>
            <Submit kind="quiet">{apps.remove(appName)}</Submit>
          </PageForm>
        </Part>
      ))}
      {moreCount > 0 && <p className="hint">{apps.more(moreCount)}</p>}
      <OwnLinks />
    </Frame>
  );
}
