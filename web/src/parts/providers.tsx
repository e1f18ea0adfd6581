import type { ProviderView } from '../page.ts';
import { texts } from '../texts.ts';

/** The other places at which to sign in: plain links, which need no script and no form. */
export function Providers({ providers }: { providers: ProviderView[] }) {
  if (providers.length === 0) return null;
  return (
    <section className="providers" aria-label={texts.providers.heading}>
      <p className="or">{texts.providers.or}</p>
      {providers.map(({ name, label, url }) => (
        <a key={name} className="button other" href={url} rel="nofollow">
          {texts.providers.goOn(label)}
        </a>
      ))}
    </section>
  );
}
