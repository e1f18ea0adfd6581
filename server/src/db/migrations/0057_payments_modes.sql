-- Two accounts that pay as one customer at the same time, and prices that no provider takes.

-- Remembers who a person is at a provider, from the first time that they paid there. Somebody else's customer stays
-- somebody else's, also when two pay as one at the same time: the first keeps it, and the payment of the other counts.
create or replace function payments.remember_customer(person uuid, from_provider text, customer text) returns void
  language plpgsql volatile set search_path = pg_catalog
as $$
begin
  if from_provider = 'stripe' then
    update auth.users u set stripe_customer_id = customer
     where u.id = person and u.stripe_customer_id is null
       and not exists (select from auth.users o where o.stripe_customer_id = customer);
  else
    update auth.users u set paypal_customer_id = customer
     where u.id = person and u.paypal_customer_id is null
       and not exists (select from auth.users o where o.paypal_customer_id = customer);
  end if;
exception when unique_violation then
  -- Whoever wrote it first had not committed when we looked.
  null;
end $$;

-- What a package costs in a currency (null: its own); null when it is not sold in it. One without a price of its own
-- costs what CREDITS_PER_EUR says, rounded up to the cent; null when that is more than a price may be.
create or replace function payments.price_of(
  package credits.packages, wanted_currency text, units bigint, credits_per_eur bigint
) returns integer
  language sql stable set search_path = pg_catalog
as $$
  select case when coalesce(wanted_currency, package.currency) = package.currency
    then coalesce(package.price_cents,
      nullif(least(payments.divide_up(div(units, 1) * 100, credits_per_eur), 100000000), 100000000)::integer)
    else (select x.price_cents from credits.package_prices x
           where x.package_id = package.id and x.currency = wanted_currency) end
$$;
