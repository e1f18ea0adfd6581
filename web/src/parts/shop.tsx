import type { CreditsPage, NeedView, PackView, PlanView, ProviderName, ShopView } from '../credits-pages.ts';
import { Offers } from './offers.tsx';
import { PageForm, Submit } from './page-form.tsx';
import { Part } from './part.tsx';
import { texts } from '../texts.ts';

const words = texts.credits;

/** What is missing, and one button that leads to the checkout of the pack that brings it. */
export function Need({ need: { missing, pack }, shop, scale }: NeedProps) {
  const isSold = pack !== null && shop.providers.length > 0;
  return (
    <Part
      heading={words.need(missing, scale)}
      lead={pack === null ? words.needTooLarge : words.needPack(pack, scale)}
    >
      {isSold && (
        <PageForm form={withField(shop.form, 'packageId', pack.id)} className="stack">
          <div className="choices">
            {shop.providers.map((provider, index) => (
              <Submit key={provider} kind={index === 0 ? 'main' : 'other'} decision={provider}>
                {provider === 'paypal' && index > 0 ? words.buyWithPaypal : words.buyFor(pack)}
              </Submit>
            ))}
          </div>
        </PageForm>
      )}
    </Part>
  );
}

type NeedProps = { need: NeedView; shop: ShopView; scale: number };

function withField(form: ShopView['form'], name: string, value: string): ShopView['form'] {
  return { ...form, hidden: { ...form.hidden, [name]: value } };
}

/** All packs; where one has been proposed already, they are the other ones. */
export function Packs({ shop, scale, proposed }: PacksProps) {
  const { providers, form } = shop;
  const packs = shop.packs.filter(({ id }) => id !== proposed?.id);
  const heading = proposed === null ? words.packs : words.otherPacks;
  if (proposed !== null && packs.length === 0) return null;
  if (packs.length === 0 || providers.length === 0) {
    return <Part heading={heading} lead={words.packsNone} />;
  }
  const offers = packs.map((pack) => ({
    id: pack.id,
    name: pack.name,
    detail: words.packCredits(pack, scale),
    price: words.price(pack),
  }));
  return (
    <Part heading={heading} lead={words.packsLead}>
      <PageForm form={form} className="stack">
        <Offers legend={words.pack} name="packageId" offers={offers} chosen={packs[0]?.id} />
        {shop.canSaveCard && (
          <label className="check">
            <input type="checkbox" name="saveCard" /> {words.saveCard}
          </label>
        )}
        <Ways
          providers={providers}
          words={providers.length > 1 ? words.payChoice : words.pay}
          isMain={proposed === null}
        />
      </PageForm>
    </Part>
  );
}

type PacksProps = { shop: ShopView; scale: number; proposed: PackView | null };

/** What can be subscribed to. */
export function Plans({ plans, providers, scale }: PlansProps) {
  return (
    <Part heading={words.plans} lead={words.plansLead}>
      <PageForm form={plans.form} className="stack">
        <Offers
          legend={words.plan}
          name="planId"
          offers={offersOf(plans.choices, scale)}
          chosen={plans.choices[0]?.id}
        />
        <Ways providers={providers} words={words.subscribe} isMain={false} />
      </PageForm>
    </Part>
  );
}

type PlansProps = { plans: NonNullable<CreditsPage['plans']>; providers: ProviderName[]; scale: number };

/** Plans as a choice. */
export function offersOf(plans: PlanView[], scale: number) {
  return plans.map((plan) => ({
    id: plan.id,
    name: plan.name,
    detail: words.planCredits(plan, scale),
    price: words.price(plan),
    rhythm: words.rhythm[plan.interval],
    note: plan.description,
  }));
}

type WaysProps = { providers: ProviderName[]; words: Record<ProviderName, string>; isMain: boolean };

/** A button for each way to pay; all of them ask that something be chosen. */
function Ways({ providers, words: labels, isMain }: WaysProps) {
  return (
    <div className={providers.length > 1 ? 'choices' : undefined}>
      {providers.map((provider, index) => (
        <Submit key={provider} kind={isMain && index === 0 ? 'main' : 'other'} decision={provider}>
          {labels[provider]}
        </Submit>
      ))}
    </div>
  );
}
