import { useState } from 'react';
import type { ApplicationView } from '../page.ts';
import { texts } from '../texts.ts';

/** The obol: the coin that pays the passage. On it, a boat carries one. */
export function Coin({ className = 'coin' }: { className?: string }) {
  return (
    <svg className={className} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <circle className="coin-face" cx="16" cy="16" r="15" />
      <circle className="coin-cargo" cx="16" cy="9.2" r="2.6" />
      <path
        className="coin-cargo"
        d="M5.9 11.8c2.1 3.3 5.7 4.9 10.1 4.9s8-1.6 10.1-4.9c.1 5-4 8.4-10.1 8.4S5.8 16.8 5.9 11.8z"
      />
      <path className="coin-water" d="M7.4 23.8q2.15-1.7 4.3 0t4.3 0 4.3 0 4.3 0" />
    </svg>
  );
}

/** The logo of an application; a tile with its first letter while there is none, or none that loads. */
function ApplicationTile({ application }: { application: ApplicationView }) {
  const [isBroken, setBroken] = useState(false);
  const { logoUrl, name } = application;
  if (logoUrl === null || isBroken) {
    return (
      <span className="tile" aria-hidden="true">
        {initialOf(name)}
      </span>
    );
  }
  // The image may have failed before this script ran.
  const look = (image: HTMLImageElement | null) => {
    if (image?.complete && image.naturalWidth === 0) setBroken(true);
  };
  return (
    <img
      ref={look}
      className="tile"
      src={logoUrl}
      alt=""
      width="48"
      height="48"
      referrerPolicy="no-referrer"
      onError={() => setBroken(true)}
    />
  );
}

/** Whose page it is: Obol's, or on the way to an application. */
export function Marks({ application }: { application: ApplicationView | null }) {
  return (
    <p className="marks">
      <span className="visually-hidden">{texts.application.marks(application?.name ?? null)}</span>
      <Coin />
      {application === null ? (
        <span className="wordmark" aria-hidden="true">
          {texts.service}
        </span>
      ) : (
        <>
          <span className="passage" aria-hidden="true" />
          <ApplicationTile application={application} />
        </>
      )}
    </p>
  );
}

/** The first letter or digit of a name, as large as it gets. */
export function initialOf(name: string): string {
  return (/[\p{L}\p{N}]/u.exec(name)?.[0] ?? '·').toUpperCase();
}
