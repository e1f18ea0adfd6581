import { useId, type ReactNode } from 'react';

/** A section of a page, with its heading. */
export function Part({ heading, lead, children }: { heading: string; lead?: string; children?: ReactNode }) {
  const id = useId();
  return (
    <section className="request stack" aria-labelledby={id}>
      <div>
        <h2 id={id}>{heading}</h2>
        {lead !== undefined && <p className="lead">{lead}</p>}
      </div>
      {children}
    </section>
  );
}
