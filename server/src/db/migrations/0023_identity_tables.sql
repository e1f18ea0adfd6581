CREATE SCHEMA "oauth";

CREATE TABLE "apps"."resource_clients" (
	"resource" text NOT NULL,
	"client_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "resource_clients_resource_client_id_pk" PRIMARY KEY("resource","client_id")
);

CREATE TABLE "apps"."resources" (
	"identifier" text PRIMARY KEY NOT NULL,
	"application_id" uuid NOT NULL,
	"scopes" text[] DEFAULT '{}' NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "apps"."sign_ins" (
	"application_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"day" date NOT NULL,
	"count" integer NOT NULL,
	CONSTRAINT "sign_ins_application_id_day_user_id_pk" PRIMARY KEY("application_id","day","user_id"),
	CONSTRAINT "sign_ins_count_check" CHECK ("apps"."sign_ins"."count" > 0)
);

CREATE TABLE "oauth"."browser_states" (
	"session_uid" text PRIMARY KEY NOT NULL,
	"cookie_hash" "bytea",
	"form_secret" text,
	"client_id" text,
	"client_state" text,
	"post_logout_redirect_uri" text,
	"expires_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "oauth"."interactions" (
	"uid_hash" "bytea" PRIMARY KEY NOT NULL,
	"prompt" text NOT NULL,
	"reasons" text[] NOT NULL,
	"details" jsonb NOT NULL,
	"parameters" jsonb NOT NULL,
	"trusted_parameters" text[] NOT NULL,
	"result" jsonb,
	"last_submission" jsonb,
	"session_uid" text,
	"user_id" uuid,
	"correlation_id" text NOT NULL,
	"device_code_hash" "bytea",
	"pushed_request_hash" "bytea",
	"expires_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "oauth"."logout_notices" (
	"id" uuid PRIMARY KEY NOT NULL,
	"application_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"authorization_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"delivered_at" timestamp (3) with time zone
);

CREATE TABLE "oauth"."access_tokens" (
	"jti_hash" "bytea" PRIMARY KEY NOT NULL,
	"authorization_id" uuid,
	"application_id" uuid NOT NULL,
	"scope" text,
	"audience" text NOT NULL,
	"claims" jsonb,
	"authorization_details" jsonb,
	"grant_types" text,
	"dpop_thumbprint" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone
);

CREATE TABLE "oauth"."authorization_codes" (
	"code_hash" "bytea" PRIMARY KEY NOT NULL,
	"authorization_id" uuid NOT NULL,
	"redirect_uri" text NOT NULL,
	"code_challenge" text,
	"is_json_flow" boolean DEFAULT false NOT NULL,
	"dpop_thumbprint" text,
	"scope" text,
	"resources" text[] NOT NULL,
	"claims" jsonb,
	"authorization_details" jsonb,
	"nonce" text,
	"acr" text,
	"amr" text[],
	"authenticated_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"consumed_at" timestamp (3) with time zone
);

CREATE TABLE "oauth"."authorizations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"grant_id" uuid NOT NULL,
	"application_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"session_id" uuid,
	"outlives_session" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	"revoked_reason" text
);

CREATE TABLE "oauth"."device_codes" (
	"code_hash" "bytea" PRIMARY KEY NOT NULL,
	"user_code_hash" "bytea" NOT NULL,
	"application_id" uuid NOT NULL,
	"authorization_id" uuid,
	"parameters" jsonb NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"is_in_flight" boolean DEFAULT false NOT NULL,
	"error" text,
	"error_description" text,
	"scope" text,
	"resources" text[] NOT NULL,
	"claims" jsonb,
	"authorization_details" jsonb,
	"nonce" text,
	"acr" text,
	"amr" text[],
	"authenticated_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"polled_at" timestamp (3) with time zone,
	"interval_seconds" integer DEFAULT 5 NOT NULL,
	"consumed_at" timestamp (3) with time zone,
	CONSTRAINT "device_codes_interval_check" CHECK ("oauth"."device_codes"."interval_seconds" > 0)
);

CREATE TABLE "oauth"."grant_resources" (
	"grant_id" uuid NOT NULL,
	"resource" text NOT NULL,
	"scopes" text[] NOT NULL,
	CONSTRAINT "grant_resources_pk" PRIMARY KEY("grant_id","resource")
);

CREATE TABLE "oauth"."pushed_requests" (
	"request_hash" "bytea" PRIMARY KEY NOT NULL,
	"request" text NOT NULL,
	"dpop_thumbprint" text,
	"is_trusted" boolean NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"consumed_at" timestamp (3) with time zone
);

CREATE TABLE "oauth"."refresh_tokens" (
	"token_hash" "bytea" PRIMARY KEY NOT NULL,
	"family_id" uuid NOT NULL,
	"authorization_id" uuid NOT NULL,
	"previous_hash" "bytea",
	"rotations" integer NOT NULL,
	"grant_types" text NOT NULL,
	"dpop_thumbprint" text,
	"scope" text,
	"resources" text[] NOT NULL,
	"claims" jsonb,
	"authorization_details" jsonb,
	"nonce" text,
	"acr" text,
	"amr" text[],
	"authenticated_at" timestamp (3) with time zone,
	"family_created_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"consumed_at" timestamp (3) with time zone,
	"sealed_answer" "bytea"
);

CREATE TABLE "oauth"."used_proofs" (
	"proof_hash" "bytea" PRIMARY KEY NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);

ALTER TABLE "apps"."access_requests" DROP CONSTRAINT "access_requests_status_check";
ALTER TABLE "apps"."access_requests" ADD COLUMN "granted_role" text;
ALTER TABLE "apps"."access_requests" ADD COLUMN "announced_at" timestamp (3) with time zone;
ALTER TABLE "apps"."applications" ADD COLUMN "post_logout_redirect_uris" text[] DEFAULT '{}' NOT NULL;
ALTER TABLE "apps"."applications" ADD COLUMN "backchannel_logout_uri" text;
ALTER TABLE "apps"."applications" ADD COLUMN "grant_types" text[] DEFAULT '{"authorization_code","refresh_token"}' NOT NULL;
ALTER TABLE "apps"."applications" ADD COLUMN "token_endpoint_auth_method" text DEFAULT 'client_secret_basic' NOT NULL;
ALTER TABLE "apps"."applications" ADD COLUMN "jwks" jsonb;
ALTER TABLE "apps"."applications" ADD COLUMN "jwks_uri" text;
ALTER TABLE "apps"."applications" ADD COLUMN "id_token_algorithm" text DEFAULT 'RS256' NOT NULL;
ALTER TABLE "apps"."applications" ADD COLUMN "logo_uri" text;
ALTER TABLE "apps"."applications" ADD COLUMN "client_uri" text;
ALTER TABLE "apps"."applications" ADD COLUMN "policy_uri" text;
ALTER TABLE "apps"."applications" ADD COLUMN "terms_uri" text;
ALTER TABLE "apps"."applications" ADD COLUMN "contacts" text[] DEFAULT '{}' NOT NULL;
ALTER TABLE "apps"."applications" ADD COLUMN "pkce_required" boolean DEFAULT true NOT NULL;
ALTER TABLE "apps"."applications" ADD COLUMN "dpop_bound" boolean DEFAULT false NOT NULL;
ALTER TABLE "apps"."applications" ADD COLUMN "is_verified" boolean DEFAULT false NOT NULL;
ALTER TABLE "apps"."applications" ADD COLUMN "is_self_registered" boolean DEFAULT false NOT NULL;
ALTER TABLE "apps"."grants" ADD COLUMN "claims" text[] DEFAULT '{}' NOT NULL;
ALTER TABLE "apps"."grants" ADD COLUMN "last_used_at" timestamp (3) with time zone;
ALTER TABLE "auth"."sessions" ADD COLUMN "authenticated_at" timestamp (3) with time zone;
ALTER TABLE "apps"."resource_clients" ADD CONSTRAINT "resource_clients_resource_resources_identifier_fk" FOREIGN KEY ("resource") REFERENCES "apps"."resources"("identifier") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."resource_clients" ADD CONSTRAINT "resource_clients_client_id_applications_client_id_fk" FOREIGN KEY ("client_id") REFERENCES "apps"."applications"("client_id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."resources" ADD CONSTRAINT "resources_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."sign_ins" ADD CONSTRAINT "sign_ins_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."sign_ins" ADD CONSTRAINT "sign_ins_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."interactions" ADD CONSTRAINT "interactions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."logout_notices" ADD CONSTRAINT "logout_notices_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."logout_notices" ADD CONSTRAINT "logout_notices_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."access_tokens" ADD CONSTRAINT "access_tokens_authorization_id_authorizations_id_fk" FOREIGN KEY ("authorization_id") REFERENCES "oauth"."authorizations"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."access_tokens" ADD CONSTRAINT "access_tokens_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."authorization_codes" ADD CONSTRAINT "authorization_codes_authorization_id_authorizations_id_fk" FOREIGN KEY ("authorization_id") REFERENCES "oauth"."authorizations"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."authorizations" ADD CONSTRAINT "authorizations_grant_id_grants_id_fk" FOREIGN KEY ("grant_id") REFERENCES "apps"."grants"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."authorizations" ADD CONSTRAINT "authorizations_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."authorizations" ADD CONSTRAINT "authorizations_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."authorizations" ADD CONSTRAINT "authorizations_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "auth"."sessions"("id") ON DELETE set null ON UPDATE no action;
ALTER TABLE "oauth"."device_codes" ADD CONSTRAINT "device_codes_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."device_codes" ADD CONSTRAINT "device_codes_authorization_id_authorizations_id_fk" FOREIGN KEY ("authorization_id") REFERENCES "oauth"."authorizations"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."grant_resources" ADD CONSTRAINT "grant_resources_grant_id_grants_id_fk" FOREIGN KEY ("grant_id") REFERENCES "apps"."grants"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "oauth"."refresh_tokens" ADD CONSTRAINT "refresh_tokens_authorization_id_authorizations_id_fk" FOREIGN KEY ("authorization_id") REFERENCES "oauth"."authorizations"("id") ON DELETE cascade ON UPDATE no action;
CREATE INDEX "resource_clients_client_idx" ON "apps"."resource_clients" USING btree ("client_id");
CREATE INDEX "resources_application_idx" ON "apps"."resources" USING btree ("application_id");
CREATE INDEX "sign_ins_user_idx" ON "apps"."sign_ins" USING btree ("user_id");
CREATE UNIQUE INDEX "browser_states_cookie_key" ON "oauth"."browser_states" USING btree ("cookie_hash") WHERE "oauth"."browser_states"."cookie_hash" is not null;
CREATE INDEX "browser_states_expires_idx" ON "oauth"."browser_states" USING btree ("expires_at");
CREATE INDEX "interactions_user_idx" ON "oauth"."interactions" USING btree ("user_id");
CREATE INDEX "interactions_expires_idx" ON "oauth"."interactions" USING btree ("expires_at");
CREATE INDEX "logout_notices_application_idx" ON "oauth"."logout_notices" USING btree ("application_id");
CREATE INDEX "logout_notices_user_idx" ON "oauth"."logout_notices" USING btree ("user_id");
CREATE INDEX "logout_notices_created_idx" ON "oauth"."logout_notices" USING btree ("created_at");
CREATE INDEX "access_tokens_authorization_idx" ON "oauth"."access_tokens" USING btree ("authorization_id");
CREATE INDEX "access_tokens_application_idx" ON "oauth"."access_tokens" USING btree ("application_id");
CREATE INDEX "access_tokens_expires_idx" ON "oauth"."access_tokens" USING btree ("expires_at");
CREATE INDEX "authorization_codes_authorization_idx" ON "oauth"."authorization_codes" USING btree ("authorization_id");
CREATE INDEX "authorization_codes_expires_idx" ON "oauth"."authorization_codes" USING btree ("expires_at");
CREATE INDEX "authorizations_grant_idx" ON "oauth"."authorizations" USING btree ("grant_id");
CREATE INDEX "authorizations_application_idx" ON "oauth"."authorizations" USING btree ("application_id");
CREATE INDEX "authorizations_user_idx" ON "oauth"."authorizations" USING btree ("user_id");
CREATE INDEX "authorizations_expires_idx" ON "oauth"."authorizations" USING btree ("expires_at");
CREATE UNIQUE INDEX "authorizations_session_application_key" ON "oauth"."authorizations" USING btree ("session_id","application_id") WHERE "oauth"."authorizations"."revoked_at" is null;
CREATE INDEX "device_codes_application_idx" ON "oauth"."device_codes" USING btree ("application_id");
CREATE INDEX "device_codes_authorization_idx" ON "oauth"."device_codes" USING btree ("authorization_id");
CREATE INDEX "device_codes_expires_idx" ON "oauth"."device_codes" USING btree ("expires_at");
CREATE UNIQUE INDEX "device_codes_user_code_key" ON "oauth"."device_codes" USING btree ("user_code_hash");
CREATE INDEX "pushed_requests_expires_idx" ON "oauth"."pushed_requests" USING btree ("expires_at");
CREATE INDEX "refresh_tokens_authorization_idx" ON "oauth"."refresh_tokens" USING btree ("authorization_id");
CREATE INDEX "refresh_tokens_expires_idx" ON "oauth"."refresh_tokens" USING btree ("expires_at");
CREATE INDEX "refresh_tokens_answered_idx" ON "oauth"."refresh_tokens" USING btree ("consumed_at") WHERE "oauth"."refresh_tokens"."sealed_answer" is not null;
CREATE UNIQUE INDEX "refresh_tokens_previous_key" ON "oauth"."refresh_tokens" USING btree ("previous_hash") WHERE "oauth"."refresh_tokens"."previous_hash" is not null;
CREATE INDEX "used_proofs_expires_idx" ON "oauth"."used_proofs" USING btree ("expires_at");
CREATE INDEX "mandates_app_idx" ON "credits"."mandates" USING btree ("app_id") WHERE "credits"."mandates"."status" <> 'revoked' and "credits"."mandates"."member_id" is null;
ALTER TABLE "apps"."access_requests" ADD CONSTRAINT "access_requests_status_check" CHECK ("apps"."access_requests"."status" in ('pending', 'approved', 'denied', 'withdrawn'));
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_grant_types_check" CHECK ("apps"."applications"."grant_types" <@ array['authorization_code', 'refresh_token', 'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:token-exchange']);
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_auth_method_check" CHECK ("apps"."applications"."token_endpoint_auth_method"
        in ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'));
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_id_token_algorithm_check" CHECK ("apps"."applications"."id_token_algorithm" in ('RS256', 'ES256', 'EdDSA'));
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_jwks_check" CHECK ("apps"."applications"."jwks" is null or "apps"."applications"."jwks_uri" is null);
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_pkce_check" CHECK ("apps"."applications"."pkce_required" or "apps"."applications"."type" = 'confidential');