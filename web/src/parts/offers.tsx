export type Offer = {
  id: string;
  name: string;
  detail: string;
  price: string;
  /** `a month` and the like. */
  rhythm?: string;
  note?: string | null;
};

type OffersProps = { legend: string; name: string; offers: Offer[]; chosen: string | undefined };

/** A choice of one among things that have a price. */
export function Offers({ legend, name, offers, chosen }: OffersProps) {
  return (
    <fieldset className="offers">
      <legend className="visually-hidden">{legend}</legend>
      {offers.map(({ id, name: title, detail, price, rhythm, note = null }) => (
        <label key={id} className="offer">
          <input type="radio" name={name} value={id} defaultChecked={id === chosen} required />
          <span className="what">
            <strong>{title}</strong>
            <span className="detail">{detail}</span>
            {note !== null && <span className="detail">{note}</span>}
          </span>
          <span className="price">
            {price}
            {rhythm !== undefined && <span className="detail">{rhythm}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
