CREATE SCHEMA "apps";

CREATE SCHEMA "audit";

CREATE SCHEMA "auth";

CREATE SCHEMA "credits";

CREATE SCHEMA "payments";

CREATE TABLE "apps"."access_requests" (
	"id" uuid PRIMARY KEY NOT NULL,
	"application_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"message" text,
	"status" text DEFAULT 'pending' NOT NULL,
	"decided_by" uuid,
	"decided_reason" text,
	"decided_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "access_requests_status_check" CHECK ("apps"."access_requests"."status" in ('pending', 'approved', 'denied'))
);

CREATE TABLE "apps"."application_secrets" (
	"id" uuid PRIMARY KEY NOT NULL,
	"application_id" uuid NOT NULL,
	"secret_hash" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone
);

CREATE TABLE "apps"."applications" (
	"id" uuid PRIMARY KEY NOT NULL,
	"client_id" text NOT NULL,
	"name" text NOT NULL,
	"type" text DEFAULT 'confidential' NOT NULL,
	"access" text DEFAULT 'closed' NOT NULL,
	"redirect_uris" text[] NOT NULL,
	"roles" text[] NOT NULL,
	"default_role" text NOT NULL,
	"created_by" uuid,
	"is_active" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "applications_type_check" CHECK ("apps"."applications"."type" in ('confidential', 'public', 'native')),
	CONSTRAINT "applications_access_check" CHECK ("apps"."applications"."access" in ('open', 'closed'))
);

CREATE TABLE "apps"."grants" (
	"id" uuid PRIMARY KEY NOT NULL,
	"application_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"scopes" text[] NOT NULL,
	"authorization_details" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "grants_application_user_key" UNIQUE("application_id","user_id")
);

CREATE TABLE "apps"."memberships" (
	"application_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "memberships_application_id_user_id_pk" PRIMARY KEY("application_id","user_id")
);

CREATE TABLE "audit"."events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"action" text NOT NULL,
	"actor_type" text NOT NULL,
	"actor_id" text,
	"target_type" text,
	"target_id" text,
	"reason" text,
	"ip_address" text,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "auth"."accounts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"provider" text NOT NULL,
	"provider_account_id" text NOT NULL,
	"email" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"last_used_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "auth"."backup_codes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"code_hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"consumed_at" timestamp (3) with time zone
);

CREATE TABLE "auth"."passwords" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"hash" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "auth"."refresh_tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"consumed_at" timestamp (3) with time zone
);

CREATE TABLE "auth"."security_events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid,
	"session_id" uuid,
	"type" text NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "auth"."sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"device_id" text,
	"device_name" text,
	"user_agent" text,
	"ip_address" text,
	"cookie_hash" "bytea",
	"created_at" timestamp (3) with time zone NOT NULL,
	"last_used_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	"revoked_reason" text
);

CREATE TABLE "auth"."signing_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"algorithm" text NOT NULL,
	"public_jwk" jsonb NOT NULL,
	"sealed_private_jwk" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"signs_from" timestamp (3) with time zone NOT NULL,
	"retires_at" timestamp (3) with time zone
);

CREATE TABLE "auth"."two_factor_auth" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"sealed_secret" "bytea" NOT NULL,
	"last_step" bigint,
	"enabled_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL
);

CREATE TABLE "auth"."verification_tokens" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"email" text NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"consumed_at" timestamp (3) with time zone,
	CONSTRAINT "verification_tokens_purpose_check" CHECK ("auth"."verification_tokens"."purpose" in ('verify_email', 'reset_password', 'change_email', 'magic_link', 'two_factor'))
);

CREATE TABLE "payments"."events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"provider" text NOT NULL,
	"provider_event_id" text NOT NULL,
	"type" text NOT NULL,
	"payload" jsonb NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"applied_at" timestamp (3) with time zone,
	"outcome" text
);

CREATE TABLE "auth"."users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"email_verified_at" timestamp (3) with time zone,
	"name" text,
	"username" text,
	"picture" text,
	"role" text DEFAULT 'user' NOT NULL,
	"subscription_status" text DEFAULT 'none' NOT NULL,
	"subscription_tier" text DEFAULT 'free' NOT NULL,
	"stripe_customer_id" text,
	"paypal_customer_id" text,
	"auth0_id" text,
	"is_active" boolean DEFAULT true NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "users_role_check" CHECK ("auth"."users"."role" in ('user', 'admin'))
);

ALTER TABLE "apps"."access_requests" ADD CONSTRAINT "access_requests_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."access_requests" ADD CONSTRAINT "access_requests_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."access_requests" ADD CONSTRAINT "access_requests_decided_by_users_id_fk" FOREIGN KEY ("decided_by") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;
ALTER TABLE "apps"."application_secrets" ADD CONSTRAINT "application_secrets_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;
ALTER TABLE "apps"."grants" ADD CONSTRAINT "grants_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."grants" ADD CONSTRAINT "grants_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."memberships" ADD CONSTRAINT "memberships_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "apps"."memberships" ADD CONSTRAINT "memberships_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."accounts" ADD CONSTRAINT "accounts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."backup_codes" ADD CONSTRAINT "backup_codes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."passwords" ADD CONSTRAINT "passwords_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."refresh_tokens" ADD CONSTRAINT "refresh_tokens_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "auth"."sessions"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."refresh_tokens" ADD CONSTRAINT "refresh_tokens_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."security_events" ADD CONSTRAINT "security_events_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."two_factor_auth" ADD CONSTRAINT "two_factor_auth_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "auth"."verification_tokens" ADD CONSTRAINT "verification_tokens_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
CREATE UNIQUE INDEX "access_requests_open_key" ON "apps"."access_requests" USING btree ("application_id","user_id") WHERE "apps"."access_requests"."status" = 'pending';
CREATE INDEX "access_requests_user_idx" ON "apps"."access_requests" USING btree ("user_id");
CREATE INDEX "application_secrets_application_idx" ON "apps"."application_secrets" USING btree ("application_id");
CREATE UNIQUE INDEX "applications_client_id_key" ON "apps"."applications" USING btree ("client_id");
CREATE INDEX "grants_user_idx" ON "apps"."grants" USING btree ("user_id");
CREATE INDEX "memberships_user_idx" ON "apps"."memberships" USING btree ("user_id");
CREATE INDEX "events_target_idx" ON "audit"."events" USING btree ("target_type","target_id","created_at");
CREATE UNIQUE INDEX "accounts_provider_account_key" ON "auth"."accounts" USING btree ("provider","provider_account_id");
CREATE INDEX "accounts_user_idx" ON "auth"."accounts" USING btree ("user_id");
CREATE UNIQUE INDEX "backup_codes_user_code_key" ON "auth"."backup_codes" USING btree ("user_id","code_hash");
CREATE UNIQUE INDEX "refresh_tokens_token_hash_key" ON "auth"."refresh_tokens" USING btree ("token_hash");
CREATE INDEX "refresh_tokens_session_idx" ON "auth"."refresh_tokens" USING btree ("session_id");
CREATE INDEX "refresh_tokens_user_idx" ON "auth"."refresh_tokens" USING btree ("user_id");
CREATE INDEX "security_events_user_idx" ON "auth"."security_events" USING btree ("user_id","created_at","id");
CREATE INDEX "sessions_user_idx" ON "auth"."sessions" USING btree ("user_id","last_used_at");
CREATE UNIQUE INDEX "sessions_cookie_hash_key" ON "auth"."sessions" USING btree ("cookie_hash") WHERE "auth"."sessions"."cookie_hash" is not null;
CREATE UNIQUE INDEX "verification_tokens_token_hash_key" ON "auth"."verification_tokens" USING btree ("token_hash");
CREATE INDEX "verification_tokens_user_idx" ON "auth"."verification_tokens" USING btree ("user_id","purpose");
CREATE UNIQUE INDEX "events_provider_event_key" ON "payments"."events" USING btree ("provider","provider_event_id");
CREATE INDEX "events_waiting_idx" ON "payments"."events" USING btree ("received_at");
CREATE UNIQUE INDEX "users_email_key" ON "auth"."users" USING btree ("email");
CREATE UNIQUE INDEX "users_username_key" ON "auth"."users" USING btree (lower("username"));
CREATE UNIQUE INDEX "users_auth0_id_key" ON "auth"."users" USING btree ("auth0_id");
CREATE UNIQUE INDEX "users_stripe_customer_id_key" ON "auth"."users" USING btree ("stripe_customer_id");
CREATE UNIQUE INDEX "users_paypal_customer_id_key" ON "auth"."users" USING btree ("paypal_customer_id");