-- Budgets of keys are changed by the terms by which the change was judged; the models that people lost who were erased
-- before models were kept; subscriptions that are ended at once.

-- Budgets -------------------------------------------------------------------------------------------------------------

-- The budget of a key, unless it was revoked: locked, so that whether a change raises it is judged by the terms that it
-- changes. For the service, in the transaction of the change; a key is locked before its budget.
create function credits.lock_budget(of_key uuid, at_time timestamptz) returns jsonb
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  budget credits.mandates;
begin
  perform oauth.assert_service();
  select m.* into budget from credits.mandates m
   where m.key_id = of_key and m.status <> 'revoked' for no key update;
  if not found then return null; end if;
  return credits.mandate_view(budget, at_time);
end $$;
grant execute on function credits.lock_budget(uuid, timestamptz) to obol_app;

-- Models that were lost -----------------------------------------------------------------------------------------------

-- People who were erased before 0061_erasure_texts lost the models of their spends with the metadata, but the usage
-- statistics count by model, and verification found them to be another thing than the journal. It is noted which
-- transactions these are, and nothing else: what they were spent on is not known any more, how often and how much is.
alter table credits.erased_texts add column is_model_lost boolean not null default false;
create index erased_texts_model_lost_idx on credits.erased_texts (wallet_id) where is_model_lost;

-- Each line of the usage statistics of some wallets is what their journals say of that day, app and model: spends count
-- on their own day, and so does what is given back of them. Where the model of some was lost (see erased_texts), they
-- may be of any model: the lines of that day and app count together what the journal does, each at least what is still
-- known to be of its model, and those without a model at least what has none and has not lost it.
create or replace function credits.verify_usage(wallets uuid[]) returns setof credits.finding
  language sql stable set search_path = pg_catalog set enable_seqscan = off
as $$
  with lost as (
    select x.transaction_id from credits.erased_texts x where x.wallet_id = any (wallets) and x.is_model_lost
  ), moved as (
    select t.wallet_id, (coalesce(o.created_at, t.created_at) at time zone 'UTC')::date as day, t.app_id,
           coalesce(left(coalesce(o.metadata, t.metadata)->>'model', 100), '') as model,
           count(*) filter (where t.type <> 'refund') as count, sum(e.amount) as amount,
           count(l.transaction_id) filter (where t.type <> 'refund') as lost
      from credits.transactions t
      join credits.entries e on e.transaction_id = t.id and e.lot_id is null and e.account like 'revenue:%'
      left join credits.transactions o on o.id = t.reverses_id
      left join lost l on l.transaction_id = t.id
     where t.wallet_id = any (wallets)
     group by 1, 2, 3, 4
  ), compared as (
    select coalesce(u.wallet_id, m.wallet_id) as wallet_id, coalesce(u.day, m.day) as day,
           coalesce(u.app_id, m.app_id) as app_id, coalesce(u.model, m.model) as model,
           (u.count, u.amount) is distinct from (m.count, m.amount) as is_other, coalesce(m.lost, 0) as lost,
           coalesce(u.count, 0) - coalesce(m.count, 0) as more_count,
           coalesce(u.amount, 0) - coalesce(m.amount, 0) as more_amount
      from (select s.* from credits.usage_stats s where s.wallet_id = any (wallets)) u
      full join moved m
        on m.wallet_id = u.wallet_id and m.day = u.day and m.app_id = u.app_id and m.model = u.model
  ), judged as (
    select c.*, sum(c.lost) over day_of_app as lost_in_all, sum(c.more_count) over day_of_app as count_off,
           sum(c.more_amount) over day_of_app as amount_off
      from compared c
    window day_of_app as (partition by c.wallet_id, c.day, c.app_id)
  )
  select j.wallet_id, 0::bigint, 'usage of ' || j.day || ', ' || j.app_id,
         'the usage statistics are not what its journal says'
    from judged j
   where j.is_other and (j.lost_in_all = 0 or j.count_off <> 0 or j.amount_off <> 0 or case
     when j.model = '' then j.more_count < -j.lost
     else j.more_count < 0 or j.more_amount < 0 or (j.more_count = 0 and j.more_amount <> 0) end)
$$;

-- Of what was erased before models were kept: what explains a difference, and entirely so.
do $$
declare
  kept_since timestamptz := (select m.applied_at from obol.migrations m where m.name = '0061_erasure_texts.sql');
  wallets uuid[] := array(select distinct x.wallet_id from credits.erased_texts x where x.erased_at < kept_since);
begin
  with differences as (select distinct f.wallet_id, f.row_id from credits.verify_usage(wallets) f)
  update credits.erased_texts x set is_model_lost = true
    from credits.transactions t, differences d
   where t.id = x.transaction_id and x.erased_at < kept_since and t.type in ('usage', 'capture')
     and t.metadata->>'model' is null and d.wallet_id = t.wallet_id
     and d.row_id = 'usage of ' || (t.created_at at time zone 'UTC')::date || ', ' || t.app_id;
  with differences as (select distinct f.wallet_id, f.row_id from credits.verify_usage(wallets) f)
  update credits.erased_texts x set is_model_lost = false
    from credits.transactions t, differences d
   where x.is_model_lost and t.id = x.transaction_id and d.wallet_id = t.wallet_id
     and d.row_id = 'usage of ' || (t.created_at at time zone 'UTC')::date || ', ' || t.app_id;
end $$;

-- Subscriptions -------------------------------------------------------------------------------------------------------

-- Compares a subscription: its state alone, of which the latest word counts. One that was ended at once here may run
-- out with its period there, as PayPal puts it, if it is billed no more.
create or replace function payments.compare_subscription(from_provider text, fact jsonb) returns payments.comparison
  language plpgsql stable set search_path = pg_catalog
as $$
declare
  ours payments.subscriptions;
begin
  select s.* into ours from payments.subscriptions s
   where s.id = payments.to_uuid(fact->>'subscriptionId')
      or (s.provider = from_provider and s.provider_subscription_id = fact->>'providerSubscriptionId')
   order by s.provider_subscription_id is null limit 1;
  return case
    when ours.id is null and (fact->>'subscriptionId' is null or fact->>'status' in ('ended', 'incomplete'))
      then row('unrelated', null, false, null, null)::payments.comparison
    when ours.id is null then row('only_theirs', 'no_subscription', false, null, null)::payments.comparison
    when ours.status = fact->>'status' or (ours.status in ('opening', 'abandoned') and fact->>'status' = 'incomplete')
      or (ours.status = 'ended' and fact->'cancelsAtPeriodEnd' = 'true')
      then row('matched', null, false, null, null)::payments.comparison
    else row('differing', case when ours.status = 'ended' then 'ahead' else 'behind' end, ours.status <> 'ended', null,
      jsonb_build_object('status', ours.status))::payments.comparison end;
end $$;
