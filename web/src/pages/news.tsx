import type { ErrorPage, NoticePage } from '../page.ts';
import { Frame } from '../parts/frame.tsx';
import { texts } from '../texts.ts';
import { headingOf } from '../title-of.ts';

export function Notice({ page }: { page: NoticePage }) {
  const { kind, application, continueUrl } = page;
  return (
    <Frame heading={headingOf(page)} lead={texts.notices[kind].detail} application={application}>
      {continueUrl !== null && (
        <a className="button main" href={continueUrl}>
          {texts.goOn(application?.name ?? null)}
        </a>
      )}
      {kind === 'signed-in' && application === null && (
        <>
          <p className="after">
            <a href="/account">{texts.ownLinks.account}</a>
          </p>
          <p className="after">
            <a href="/credits">{texts.credits.link}</a>
          </p>
        </>
      )}
    </Frame>
  );
}

export function Fault({ page }: { page: ErrorPage }) {
  const { code, detail, status, requestId, forDevelopers, links } = page;
  const words = texts.problems[code];
  const urls = { 'forgot-password': '/forgot-password', 'sign-in': page.signInUrl ?? '/sign-in' };
  return (
    <Frame
      heading={headingOf(page)}
      lead={words?.detail ?? plain(detail) ?? texts.problems['server.internal'].detail}
    >
      {links.length > 0 && (
        <p className="after">
          {links.map((link) => (
            <a key={link} href={urls[link]}>
              {texts.error.links[link]}
            </a>
          ))}
        </p>
      )}
      {forDevelopers !== undefined && (
        <details className="developers">
          <summary>{texts.error.forDevelopers}</summary>
          <p>
            <code>{code}</code> {forDevelopers}
          </p>
        </details>
      )}
      {status >= 500 && (
        <p className="hint">
          {texts.error.number} <code>{requestId}</code>
        </p>
      )}
    </Frame>
  );
}

/** Words for programs put names between backticks. */
function plain(text: string | undefined): string | undefined {
  return text?.replaceAll('`', '');
}
