-- Reads that many callers make at once, answered in one call: each with its own outcome, in the order of the
-- questions. Nothing is locked or written, so no caller waits for another, and nothing is refused for all of them.

-- Which of these callers may ask right now, for each what auth.assert_session says of one alone: their session lives
-- and their account is active, or the authorization by which an application asks for them.
create function auth.live_callers(caller_users uuid[], caller_sessions uuid[], at_time timestamptz) returns boolean[]
  language plpgsql stable security definer
  set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan
as $$
begin
  -- One look-up per caller: `limit` keeps the planner from reading all sessions once instead.
  return (
    select array_agg(s.lives is not null order by asked.place)
      from unnest(caller_users, caller_sessions) with ordinality as asked (user_id, session_id, place)
      left join lateral (
        select true as lives from auth.live_sessions l
         where l.session_id = asked.session_id and l.user_id = asked.user_id and l.expires_at > at_time
         limit 1) s on true);
end $$;

-- The own wallet of each of these callers with its open lots, as a JSON array of objects; or with a `code` why not:
--   auth.session_ended   the caller may not ask any more
--   request.not_found    there is no such wallet
-- `isDue` says that time has done something to the wallet which is not in the journal yet: credits.read_balance
-- brings such a wallet up to the moment, under its lock. Amounts are whole numbers of any size. The JSON is put
-- together from texts, which takes two thirds of the time of building it from values; every text in it is one of a
-- fixed list.
create function credits.read_balances(caller_users uuid[], caller_sessions uuid[], at_time timestamptz) returns text
  language plpgsql stable security definer
  set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan
as $$
begin
  return (
    select '[' || string_agg(case
             when s.lives is null then '{"code":"auth.session_ended"}'
             when b.wallet_id is null then '{"code":"request.not_found"}'
             when least(b.next_daily_at, b.next_expiry_at) <= at_time then '{"isDue":true}'
             else '{"status":"' || b.status || '","free":' || b.free || ',"paid":' || b.paid || ',"held":' || b.held
               || ',"debt":' || b.debt || ',"totalEarned":' || b.total_earned || ',"totalSpent":' || b.total_spent
               || ',"nextDailyAt":' || to_json(b.next_daily_at) || ',"lots":[' || coalesce((
                 select string_agg('{"id":"' || l.id || '","source":"' || l.source || '","kind":"' || l.kind
                          || '","remaining":' || l.remaining || ',"expiresAt":'
                          || coalesce(to_json(l.expires_at)::text, 'null') || '}',
                          ',' order by l.kind, l.priority, l.expires_at, l.created_at, l.id)
                   from credits.lots l
                  where l.wallet_id = b.wallet_id and l.closed_at is null), '') || ']}'
             end, ',' order by asked.place) || ']'
      from unnest(caller_users, caller_sessions) with ordinality as asked (user_id, session_id, place)
      left join lateral (
        select true as lives from auth.live_sessions l
         where l.session_id = asked.session_id and l.user_id = asked.user_id and l.expires_at > at_time
         limit 1) s on true
      left join credits.balances b on b.wallet_id = asked.user_id and b.owner_id = asked.user_id);
end $$;

grant execute on function auth.live_callers(uuid[], uuid[], timestamptz),
  credits.read_balances(uuid[], uuid[], timestamptz) to obol_app;
