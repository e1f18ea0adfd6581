import { texts } from '../texts.ts';

const { ownLinks } = texts;

/** At the foot of every page of one's own: the way to all others, and out. */
export function OwnLinks() {
  return (
    <nav className="links" aria-label={ownLinks.heading}>
      <a href="/account">{ownLinks.account}</a>
      <a href="/sign-out">{ownLinks.signOut}</a>
    </nav>
  );
}
