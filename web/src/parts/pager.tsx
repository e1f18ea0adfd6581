import { texts } from '../texts.ts';

type PagerProps = {
  /** What there are more of. */
  label: string;
  olderUrl: string | null;
  newestUrl: string | null;
};

/** The way through a list that is shown newest first. */
export function Pager({ label, olderUrl, newestUrl }: PagerProps) {
  if ((olderUrl ?? newestUrl) === null) return null;
  return (
    <nav className="links" aria-label={label}>
      {newestUrl !== null && <a href={newestUrl}>{texts.pager.newest}</a>}
      {olderUrl !== null && <a href={olderUrl}>{texts.pager.older}</a>}
    </nav>
  );
}
