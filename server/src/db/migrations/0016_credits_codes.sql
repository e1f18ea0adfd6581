-- Gift and promo codes. Everything about a code is decided under the lock of its row, so that of many who redeem at
-- once exactly as many succeed as are left. Wallets are locked before codes, here and nowhere else both.

select obol.protect('credits.codes', null, 'select, insert, update');
select obol.protect('credits.redemptions', 'wallet_id', 'select');

-- Why a code cannot be redeemed into a wallet; null when it can. Unknown, revoked, expired and used up are one answer.
create function credits.judge_code(code credits.codes, used bigint, at_time timestamptz) returns text
  language sql immutable
as $$
  select case
    when code.id is null or code.revoked_at is not null or code.expires_at <= at_time then 'credits.code_invalid'
    when used >= code.redemptions_per_user_max then 'credits.code_redeemed'
    when code.redeemed >= code.redemptions_max then 'credits.code_invalid'
  end
$$;

-- Redeems a code (code_hash) into the caller's own wallet. Refuses with auth.session_ended; returns
-- idempotency.mismatch, credits.wallet_inactive, credits.code_invalid, credits.code_redeemed, credits.too_many.
create function credits.redeem_code(
  asked jsonb, at_time timestamptz, daily_amount bigint, daily_cap bigint
) returns credits.movement_outcome
  language plpgsql volatile security definer set search_path = pg_catalog
as $$
declare
  request credits.movement_request := jsonb_populate_record(null::credits.movement_request, asked);
  wallet credits.balances;
  outcome credits.movement_outcome;
  code credits.codes;
  used bigint;
  refusal text;
  lot credits.lots;
  made credits.transactions;
begin
  perform auth.assert_session(request.user_id, request.session_id, at_time);
  wallet := credits.lock_wallet(request.user_id, at_time, daily_amount, daily_cap);
  outcome := credits.replay_movement(wallet.wallet_id, 'obol', request);
  if outcome.is_replay is not null then return outcome; end if;
  if wallet.status <> 'active' then
    return credits.conclude_movement(wallet, 'obol', request, null, 'credits.wallet_inactive');
  end if;
  select c.* into code from credits.codes c where c.code_hash = request.code_hash for no key update;
  select count(*) into used from credits.redemptions r
   where r.code_id = code.id and r.wallet_id = wallet.wallet_id;
  refusal := credits.judge_code(code, used, at_time);
  if refusal is null and not credits.has_room(wallet, code.amount) then refusal := 'credits.too_many'; end if;
  if refusal is not null then return credits.conclude_movement(wallet, 'obol', request, null, refusal); end if;

  lot.source := 'gift';
  lot.kind := code.kind;
  lot.amount := code.amount;
  lot.priority := code.priority;
  lot.expires_at := at_time + make_interval(hours => 24 * code.lot_lifetime_days);
  lot.created_at := at_time;
  made.id := credits.new_id(at_time);
  made.type := 'bonus';
  made.description := code.description;
  made.idempotency_key := request.idempotency_key;
  wallet := credits.bring_in(wallet, lot, made, 'issued:bonus');
  update credits.codes c set redeemed = c.redeemed + 1 where c.id = code.id;
  insert into credits.redemptions (code_id, wallet_id, ordinal, transaction_id, created_at)
    values (code.id, wallet.wallet_id, used + 1, made.id, at_time);
  return credits.conclude_movement(wallet, 'obol', request, made.id, null);
end $$;

grant execute on function credits.redeem_code(jsonb, timestamptz, bigint, bigint) to obol_app;
