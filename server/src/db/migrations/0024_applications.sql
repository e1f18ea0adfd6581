-- Applications as OAuth clients, and who may read what is asked of and granted to them.

select obol.protect('apps.resources', null);

-- Applications that cannot keep a secret identify themselves by nothing but their client id; the others always prove
-- who they are. After the rows of before, so it is not among the checks of the table's definition.
update apps.applications set token_endpoint_auth_method = 'none' where type <> 'confidential';
alter table apps.applications add constraint applications_secrecy_check
  check ((type = 'confidential') = (token_endpoint_auth_method <> 'none'));
alter table apps.applications add constraint applications_own_name_check
  check (type = 'confidential' or not grant_types && array['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange']);
