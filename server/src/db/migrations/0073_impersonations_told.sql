-- Whom an administrator looked at reads the end of it in their trail, also where it came with the role or the
-- account of the administrator: until now those ended both kinds of sessions by one update, and only the end of a
-- sign-in or of the looking itself was told.

-- Ends impersonations when either person changes their role, as migration 0034 says.
create or replace function auth.end_impersonations() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  perform from auth.sessions s
    where (s.impersonator_id = new.id or s.user_id = new.id and s.impersonator_id is not null) and s.revoked_at is null
    order by s.id for update;
  perform auth.end_impersonations_by(new.id, null, new.updated_at);
  update auth.sessions s set revoked_at = new.updated_at, revoked_reason = 'impersonation_ended'
   where s.user_id = new.id and s.impersonator_id is not null and s.revoked_at is null;
  insert into auth.security_events (id, user_id, type, details, created_at)
  values (credits.new_id(new.updated_at), new.id, 'account.role_changed',
    jsonb_build_object('from', old.role, 'to', new.role), new.updated_at);
  return null;
end $$;

-- Ends what an account gave access to when it is deactivated, and once more when it is activated, as migration 0064
-- says.
create or replace function auth.end_access() returns trigger
  language plpgsql security definer set search_path = pg_catalog
as $$
begin
  delete from auth.remembered_devices d where d.user_id = new.id;
  delete from auth.pending_sign_ins i where i.user_id = new.id;
  perform from auth.api_keys k where k.user_id = new.id and k.revoked_at is null order by k.id for update;
  update auth.api_keys k set revoked_at = new.updated_at, updated_at = new.updated_at
   where k.user_id = new.id and k.revoked_at is null;
  perform from auth.sessions s
    where (s.user_id = new.id or s.impersonator_id = new.id) and s.revoked_at is null
    order by s.id for update;
  perform auth.end_impersonations_by(new.id, null, new.updated_at);
  update auth.sessions s set revoked_at = new.updated_at, revoked_reason = 'deactivated'
   where s.user_id = new.id and s.revoked_at is null;
  perform from apps.grants g where g.user_id = new.id and g.revoked_at is null order by g.id for no key update;
  update apps.grants g set revoked_at = new.updated_at, updated_at = new.updated_at
   where g.user_id = new.id and g.revoked_at is null;
  -- Of applications and of keys; what members of a team may spend there is the team's.
  perform from credits.mandates m
    where m.wallet_id = new.id and m.member_id is null and m.status <> 'revoked' order by m.id for no key update;
  update credits.mandates m set status = 'revoked', updated_at = new.updated_at
   where m.wallet_id = new.id and m.member_id is null and m.status <> 'revoked';
  insert into auth.security_events (id, user_id, type, details, created_at)
  values (credits.new_id(new.updated_at), new.id,
    case when new.is_active then 'account.reactivated' else 'account.deactivated' end, '{}', new.updated_at);
  return null;
end $$;
