-- What is paid for again and again is ended by its owner before the account is erased: the provider would go on
-- charging somebody whom nobody knows any more. One that ends with its period is not in the way.

create or replace function auth.ties_of(person uuid) returns jsonb
  language sql stable set search_path = pg_catalog
as $$
  with ties as (
    select (select jsonb_agg(jsonb_build_object('id', t.wallet_id, 'name', t.name) order by t.name)
              from credits.team_members m join credits.teams t on t.wallet_id = m.wallet_id
             where m.user_id = person and m.role = 'owner'
               and exists (select from credits.team_members o
                            where o.wallet_id = m.wallet_id and o.user_id <> person)
               and not exists (select from credits.team_members o
                                where o.wallet_id = m.wallet_id and o.user_id <> person and o.role = 'owner')) as teams,
           (select jsonb_agg(jsonb_build_object('id', a.id, 'name', a.name) order by a.name)
              from apps.memberships m join apps.applications a on a.id = m.application_id
             where m.user_id = person and m.role = 'admin'
               and not exists (select from apps.memberships o
                                where o.application_id = m.application_id and o.user_id <> person
                                  and o.role = 'admin')) as applications,
           (select jsonb_agg(jsonb_build_object('id', s.id, 'planId', s.plan_id) order by s.id)
              from payments.subscriptions s
             where s.user_id = person and s.status in ('incomplete', 'active', 'past_due')
               and not s.cancels_at_period_end) as subscriptions)
  select case when coalesce(t.teams, t.applications, t.subscriptions) is not null
    then jsonb_build_object('teams', coalesce(t.teams, '[]'), 'applications', coalesce(t.applications, '[]'),
      'subscriptions', coalesce(t.subscriptions, '[]')) end
    from ties t
$$;
