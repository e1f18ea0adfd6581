import type { ReactNode } from 'react';
import type { ApplicationView, Problem } from '../page.ts';
import { texts } from '../texts.ts';
import { Marks } from './marks.tsx';

type FrameProps = {
  heading: string;
  lead?: ReactNode;
  application?: ApplicationView | null;
  children?: ReactNode;
};

/** What all pages have in common: one column, the marks, one heading, and water at the foot. */
export function Frame({ heading, lead, application = null, children }: FrameProps) {
  return (
    <div className="page">
      <main className="column">
        <Marks application={application} />
        <h1>{heading}</h1>
        {lead !== undefined && <p className="lead">{lead}</p>}
        {children}
      </main>
      <Water />
    </div>
  );
}

/** What has just been done, if anything. */
export function DoneNote({ children }: { children: string | null }) {
  return children === null ? null : (
    <p className="done" role="status">
      {children}
    </p>
  );
}

type ProblemNoteProps = {
  problem: Problem | null;
  id: string;
  /** What this page says otherwise than all others. */
  words?: Record<string, { title: string; detail: string } | undefined>;
};

/** Why the form comes again, for what no field alone is to blame for. */
export function ProblemNote({ problem, id, words: own = {} }: ProblemNoteProps) {
  if (problem === null || problem.field !== undefined) return null;
  const words = own[problem.code] ?? texts.problems[problem.code];
  return (
    <div className="problem" role="alert" id={id}>
      <p>
        <strong>{words?.title ?? texts.problems['request.invalid'].title}.</strong>{' '}
        {words?.detail ?? problem.detail ?? texts.problems['request.invalid'].detail}
      </p>
    </div>
  );
}

/** Said before anything is given to an application that the operator has not looked at. */
export function UnverifiedNote({ application }: { application: ApplicationView }) {
  if (application.isVerified) return null;
  return (
    <div className="caution">
      <p>
        <strong>{texts.application.unverified(application.name)}.</strong>{' '}
        {texts.application.unverifiedDetail(application.host)}
      </p>
    </div>
  );
}

/** Where the application explains itself. */
export function ApplicationLinks({ application }: { application: ApplicationView }) {
  const links = [
    [texts.application.home, application.homeUrl],
    [texts.application.policy, application.policyUrl],
    [texts.application.terms, application.termsUrl],
  ] as const;
  const present = links.filter(([, url]) => url !== null);
  if (present.length === 0) return null;
  return (
    <nav className="links" aria-label={texts.application.links(application.name)}>
      {present.map(([label, url]) => (
        <a key={label} href={url ?? ''} target="_blank" rel="noopener noreferrer">
          {label}
        </a>
      ))}
    </nav>
  );
}

function Water() {
  return (
    <svg className="water" aria-hidden="true" focusable="false" width="100%" height="44">
      <defs>
        <pattern id="wave" width="48" height="44" patternUnits="userSpaceOnUse">
          <path d="M0 8q6-5 12 0t12 0 12 0 12 0M-12 21q6-5 12 0t12 0 12 0 12 0 12 0M0 34q6-5 12 0t12 0 12 0 12 0" />
        </pattern>
      </defs>
      <rect width="100%" height="44" fill="url(#wave)" />
    </svg>
  );
}
