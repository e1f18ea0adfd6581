CREATE SCHEMA "apps";

CREATE SCHEMA "audit";

CREATE SCHEMA "auth";

CREATE SCHEMA "credits";

CREATE SCHEMA "payments";

CREATE SCHEMA "webhooks";

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
	"secret_hash" "bytea" NOT NULL,
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
	"signs_from_at" timestamp (3) with time zone NOT NULL,
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

CREATE TABLE "credits"."codes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"code_hash" "bytea" NOT NULL,
	"chosen_code" text,
	"description" text NOT NULL,
	"amount" bigint NOT NULL,
	"kind" text NOT NULL,
	"priority" integer NOT NULL,
	"lot_lifetime_days" integer,
	"redemptions_max" integer NOT NULL,
	"redemptions_per_user_max" integer NOT NULL,
	"redeemed" integer NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"created_by" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "codes_kind_check" CHECK ("credits"."codes"."kind" in ('free', 'paid')),
	CONSTRAINT "codes_amount_check" CHECK ("credits"."codes"."amount" > 0),
	CONSTRAINT "codes_lifetime_check" CHECK ("credits"."codes"."lot_lifetime_days" > 0),
	CONSTRAINT "codes_redeemed_check" CHECK ("credits"."codes"."redeemed" between 0 and "credits"."codes"."redemptions_max"),
	CONSTRAINT "codes_limits_check" CHECK ("credits"."codes"."redemptions_max" > 0 and "credits"."codes"."redemptions_per_user_max" > 0)
);

CREATE TABLE "credits"."redemptions" (
	"code_id" uuid NOT NULL,
	"wallet_id" uuid NOT NULL,
	"ordinal" integer NOT NULL,
	"transaction_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "redemptions_pkey" PRIMARY KEY("code_id","wallet_id","ordinal"),
	CONSTRAINT "redemptions_ordinal_check" CHECK ("credits"."redemptions"."ordinal" > 0)
);

CREATE TABLE "credits"."hold_lots" (
	"hold_id" uuid NOT NULL,
	"ordinal" integer NOT NULL,
	"lot_id" uuid NOT NULL,
	"wallet_id" uuid NOT NULL,
	"amount" bigint NOT NULL,
	"charged_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "hold_lots_pkey" PRIMARY KEY("hold_id","ordinal"),
	CONSTRAINT "hold_lots_amount_check" CHECK ("credits"."hold_lots"."amount" >= 0)
);

CREATE TABLE "credits"."holds" (
	"id" uuid PRIMARY KEY NOT NULL,
	"wallet_id" uuid NOT NULL,
	"app_id" text NOT NULL,
	"mandate_id" uuid,
	"amount" bigint NOT NULL,
	"captured" bigint NOT NULL,
	"remaining" bigint NOT NULL,
	"status" text NOT NULL,
	"description" text NOT NULL,
	"metadata" jsonb,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"closed_at" timestamp (3) with time zone,
	CONSTRAINT "holds_status_check" CHECK ("credits"."holds"."status" in ('open', 'captured', 'voided', 'expired')),
	CONSTRAINT "holds_amount_check" CHECK ("credits"."holds"."amount" > 0 and "credits"."holds"."captured" >= 0),
	CONSTRAINT "holds_remaining_check" CHECK ("credits"."holds"."remaining" >= 0 and "credits"."holds"."remaining" <= "credits"."holds"."amount"),
	CONSTRAINT "holds_closed_check" CHECK (("credits"."holds"."status" = 'open') = ("credits"."holds"."closed_at" is null))
);

CREATE TABLE "credits"."mandate_usage" (
	"transaction_id" uuid NOT NULL,
	"charged_at" timestamp (3) with time zone NOT NULL,
	"mandate_id" uuid NOT NULL,
	"wallet_id" uuid NOT NULL,
	"held" bigint NOT NULL,
	"spent" bigint NOT NULL,
	CONSTRAINT "mandate_usage_pkey" PRIMARY KEY("transaction_id","charged_at")
);

CREATE TABLE "credits"."mandates" (
	"id" uuid PRIMARY KEY NOT NULL,
	"wallet_id" uuid NOT NULL,
	"app_id" text,
	"member_id" uuid,
	"allowance" bigint NOT NULL,
	"period" text NOT NULL,
	"kinds" text[] NOT NULL,
	"spend_max" bigint,
	"overrun" text NOT NULL,
	"overrun_max" bigint NOT NULL,
	"spent" bigint NOT NULL,
	"period_started_at" timestamp (3) with time zone NOT NULL,
	"status" text NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "mandates_period_check" CHECK ("credits"."mandates"."period" in ('day', 'week', 'month', 'total')),
	CONSTRAINT "mandates_status_check" CHECK ("credits"."mandates"."status" in ('active', 'paused', 'revoked')),
	CONSTRAINT "mandates_overrun_check" CHECK ("credits"."mandates"."overrun" in ('refuse', 'spill', 'debt')),
	CONSTRAINT "mandates_spender_check" CHECK ("credits"."mandates"."app_id" is not null or "credits"."mandates"."member_id" is not null),
	CONSTRAINT "mandates_allowance_check" CHECK ("credits"."mandates"."allowance" >= 0 and "credits"."mandates"."spent" >= 0),
	CONSTRAINT "mandates_kinds_check" CHECK ("credits"."mandates"."kinds" <@ array['free', 'paid'] and cardinality("credits"."mandates"."kinds") > 0),
	CONSTRAINT "mandates_bounds_check" CHECK ("credits"."mandates"."spend_max" > 0 and "credits"."mandates"."overrun_max" >= 0)
);

CREATE TABLE "credits"."packages" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"credits" bigint NOT NULL,
	"price_cents" integer,
	"currency" text NOT NULL,
	"position" integer NOT NULL,
	"is_active" boolean NOT NULL,
	CONSTRAINT "packages_credits_check" CHECK ("credits"."packages"."credits" > 0),
	CONSTRAINT "packages_price_check" CHECK ("credits"."packages"."price_cents" > 0),
	CONSTRAINT "packages_currency_check" CHECK ("credits"."packages"."currency" ~ '^[A-Z]{3}$')
);

CREATE TABLE "credits"."purchases" (
	"id" uuid PRIMARY KEY NOT NULL,
	"wallet_id" uuid NOT NULL,
	"user_id" uuid,
	"package_id" text,
	"credits" bigint NOT NULL,
	"price_cents" integer NOT NULL,
	"currency" text NOT NULL,
	"provider" text NOT NULL,
	"provider_payment_id" text,
	"status" text NOT NULL,
	"transaction_id" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"completed_at" timestamp (3) with time zone,
	CONSTRAINT "purchases_credits_check" CHECK ("credits"."purchases"."credits" > 0 and "credits"."purchases"."price_cents" > 0),
	CONSTRAINT "purchases_currency_check" CHECK ("credits"."purchases"."currency" ~ '^[A-Z]{3}$'),
	CONSTRAINT "purchases_provider_check" CHECK ("credits"."purchases"."provider" in ('stripe', 'paypal')),
	CONSTRAINT "purchases_status_check" CHECK ("credits"."purchases"."status" in ('pending', 'completed', 'failed', 'refunded', 'disputed'))
);

CREATE TABLE "credits"."usage_stats" (
	"wallet_id" uuid NOT NULL,
	"day" date NOT NULL,
	"app_id" text NOT NULL,
	"model" text NOT NULL,
	"count" bigint NOT NULL,
	"amount" bigint NOT NULL,
	CONSTRAINT "usage_stats_pkey" PRIMARY KEY("wallet_id","day","app_id","model")
);

CREATE TABLE "credits"."balances" (
	"wallet_id" uuid PRIMARY KEY NOT NULL,
	"owner_id" uuid,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"free" bigint NOT NULL,
	"paid" bigint NOT NULL,
	"held" bigint NOT NULL,
	"debt" bigint NOT NULL,
	"total_earned" bigint NOT NULL,
	"total_spent" bigint NOT NULL,
	"next_daily_at" timestamp (3) with time zone NOT NULL,
	"next_expiry_at" timestamp (3) with time zone,
	"sequence" bigint NOT NULL,
	"chain_head" "bytea" NOT NULL,
	"last_transaction_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "balances_kind_check" CHECK ("credits"."balances"."kind" in ('personal', 'team')),
	CONSTRAINT "balances_status_check" CHECK ("credits"."balances"."status" in ('active', 'frozen', 'closed')),
	CONSTRAINT "balances_free_check" CHECK ("credits"."balances"."free" >= 0),
	CONSTRAINT "balances_paid_check" CHECK ("credits"."balances"."paid" >= 0),
	CONSTRAINT "balances_held_check" CHECK ("credits"."balances"."held" >= 0 and "credits"."balances"."held" <= "credits"."balances"."free" + "credits"."balances"."paid"),
	CONSTRAINT "balances_debt_check" CHECK ("credits"."balances"."debt" >= 0),
	CONSTRAINT "balances_exact_check" CHECK ("credits"."balances"."free" + "credits"."balances"."paid" <= 9007199254740991)
);

CREATE TABLE "credits"."entries" (
	"transaction_id" uuid NOT NULL,
	"ordinal" integer NOT NULL,
	"wallet_id" uuid NOT NULL,
	"account" text NOT NULL,
	"amount" bigint NOT NULL,
	"lot_id" uuid,
	CONSTRAINT "entries_pkey" PRIMARY KEY("transaction_id","ordinal"),
	CONSTRAINT "entries_amount_check" CHECK ("credits"."entries"."amount" <> 0)
);

CREATE TABLE "credits"."idempotency_keys" (
	"wallet_id" uuid NOT NULL,
	"app_id" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" "bytea" NOT NULL,
	"code" text,
	"transaction_id" uuid,
	"balance_before" bigint NOT NULL,
	"free" bigint NOT NULL,
	"paid" bigint NOT NULL,
	"held" bigint NOT NULL,
	"total_spent" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"details" jsonb,
	CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY("wallet_id","app_id","key"),
	CONSTRAINT "idempotency_keys_outcome_check" CHECK ("credits"."idempotency_keys"."code" is null or "credits"."idempotency_keys"."transaction_id" is null)
);

CREATE TABLE "credits"."lots" (
	"id" uuid PRIMARY KEY NOT NULL,
	"wallet_id" uuid NOT NULL,
	"source" text NOT NULL,
	"kind" text NOT NULL,
	"amount" bigint NOT NULL,
	"remaining" bigint NOT NULL,
	"held" bigint NOT NULL,
	"priority" integer NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"daily_window_at" timestamp (3) with time zone,
	"transaction_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"closed_at" timestamp (3) with time zone,
	CONSTRAINT "lots_source_check" CHECK ("credits"."lots"."source" in ('signup', 'daily', 'purchase', 'subscription', 'gift', 'adjustment', 'refund')),
	CONSTRAINT "lots_kind_check" CHECK ("credits"."lots"."kind" in ('free', 'paid')),
	CONSTRAINT "lots_amount_check" CHECK ("credits"."lots"."amount" > 0),
	CONSTRAINT "lots_remaining_check" CHECK ("credits"."lots"."remaining" >= 0 and "credits"."lots"."remaining" <= "credits"."lots"."amount"),
	CONSTRAINT "lots_held_check" CHECK ("credits"."lots"."held" >= 0 and "credits"."lots"."held" <= "credits"."lots"."remaining"),
	CONSTRAINT "lots_closed_check" CHECK (("credits"."lots"."closed_at" is null) = ("credits"."lots"."remaining" > 0)),
	CONSTRAINT "lots_daily_check" CHECK ("credits"."lots"."daily_window_at" is null or "credits"."lots"."source" = 'daily')
);

CREATE TABLE "credits"."transactions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"wallet_id" uuid NOT NULL,
	"sequence" bigint NOT NULL,
	"type" text NOT NULL,
	"status" text NOT NULL,
	"amount" bigint NOT NULL,
	"balance_before" bigint NOT NULL,
	"balance_after" bigint NOT NULL,
	"app_id" text,
	"description" text NOT NULL,
	"metadata" jsonb,
	"idempotency_key" text,
	"hold_id" uuid,
	"mandate_id" uuid,
	"reverses_id" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"previous_hash" "bytea" NOT NULL,
	"hash" "bytea" NOT NULL,
	CONSTRAINT "transactions_type_check" CHECK ("credits"."transactions"."type" in ('bonus', 'daily', 'purchase', 'usage', 'hold', 'capture', 'void', 'expire', 'refund', 'adjustment', 'clawback', 'transfer', 'repayment')),
	CONSTRAINT "transactions_status_check" CHECK ("credits"."transactions"."status" = 'completed'),
	CONSTRAINT "transactions_balance_check" CHECK ("credits"."transactions"."balance_after" - "credits"."transactions"."balance_before"
        = case when "credits"."transactions"."type" in ('hold', 'void') then 0 else "credits"."transactions"."amount" end)
);

CREATE TABLE "credits"."team_invitations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"wallet_id" uuid NOT NULL,
	"email" text NOT NULL,
	"role" text NOT NULL,
	"spending_limit" jsonb,
	"invited_by" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "team_invitations_role_check" CHECK ("credits"."team_invitations"."role" in ('owner', 'admin', 'member'))
);

CREATE TABLE "credits"."team_members" (
	"wallet_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "team_members_pkey" PRIMARY KEY("wallet_id","user_id"),
	CONSTRAINT "team_members_role_check" CHECK ("credits"."team_members"."role" in ('owner', 'admin', 'member'))
);

CREATE TABLE "credits"."teams" (
	"wallet_id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_by" uuid,
	"created_at" timestamp (3) with time zone NOT NULL
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

CREATE TABLE "webhooks"."attempts" (
	"id" uuid PRIMARY KEY NOT NULL,
	"delivery_id" uuid NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"duration_ms" integer NOT NULL,
	"status_code" integer,
	"error" text,
	"response_excerpt" text
);

CREATE TABLE "webhooks"."deliveries" (
	"id" uuid PRIMARY KEY NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"event_id" uuid NOT NULL,
	"is_replay" boolean DEFAULT false NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempt_count" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"next_attempt_at" timestamp (3) with time zone,
	"completed_at" timestamp (3) with time zone,
	CONSTRAINT "deliveries_status_check" CHECK ("webhooks"."deliveries"."status" in ('pending', 'succeeded', 'failed')),
	CONSTRAINT "deliveries_completed_check" CHECK (("webhooks"."deliveries"."status" = 'pending') = ("webhooks"."deliveries"."completed_at" is null))
);

CREATE TABLE "webhooks"."endpoint_secrets" (
	"id" uuid PRIMARY KEY NOT NULL,
	"endpoint_id" uuid NOT NULL,
	"sealed_secret" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone
);

CREATE TABLE "webhooks"."endpoints" (
	"id" uuid PRIMARY KEY NOT NULL,
	"application_id" uuid NOT NULL,
	"url" text NOT NULL,
	"description" text,
	"event_types" text[],
	"low_balance" bigint NOT NULL,
	"is_enabled" boolean DEFAULT true NOT NULL,
	"disabled_reason" text,
	"first_failed_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "endpoints_low_balance_check" CHECK ("webhooks"."endpoints"."low_balance" > 0),
	CONSTRAINT "endpoints_disabled_check" CHECK ("webhooks"."endpoints"."is_enabled" = ("webhooks"."endpoints"."disabled_reason" is null)),
	CONSTRAINT "endpoints_reason_check" CHECK ("webhooks"."endpoints"."disabled_reason" in ('requested', 'failing', 'gone'))
);

CREATE TABLE "webhooks"."events" (
	"id" uuid PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"data" jsonb NOT NULL,
	"happened_at" timestamp (3) with time zone NOT NULL
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
ALTER TABLE "credits"."codes" ADD CONSTRAINT "codes_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;
ALTER TABLE "credits"."redemptions" ADD CONSTRAINT "redemptions_code_id_codes_id_fk" FOREIGN KEY ("code_id") REFERENCES "credits"."codes"("id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."redemptions" ADD CONSTRAINT "redemptions_wallet_id_balances_wallet_id_fk" FOREIGN KEY ("wallet_id") REFERENCES "credits"."balances"("wallet_id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."hold_lots" ADD CONSTRAINT "hold_lots_hold_id_holds_id_fk" FOREIGN KEY ("hold_id") REFERENCES "credits"."holds"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "credits"."hold_lots" ADD CONSTRAINT "hold_lots_lot_id_lots_id_fk" FOREIGN KEY ("lot_id") REFERENCES "credits"."lots"("id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."holds" ADD CONSTRAINT "holds_wallet_id_balances_wallet_id_fk" FOREIGN KEY ("wallet_id") REFERENCES "credits"."balances"("wallet_id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."holds" ADD CONSTRAINT "holds_mandate_id_mandates_id_fk" FOREIGN KEY ("mandate_id") REFERENCES "credits"."mandates"("id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."mandate_usage" ADD CONSTRAINT "mandate_usage_mandate_id_mandates_id_fk" FOREIGN KEY ("mandate_id") REFERENCES "credits"."mandates"("id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."mandates" ADD CONSTRAINT "mandates_wallet_id_balances_wallet_id_fk" FOREIGN KEY ("wallet_id") REFERENCES "credits"."balances"("wallet_id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."mandates" ADD CONSTRAINT "mandates_member_id_users_id_fk" FOREIGN KEY ("member_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "credits"."purchases" ADD CONSTRAINT "purchases_wallet_id_balances_wallet_id_fk" FOREIGN KEY ("wallet_id") REFERENCES "credits"."balances"("wallet_id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."purchases" ADD CONSTRAINT "purchases_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;
ALTER TABLE "credits"."purchases" ADD CONSTRAINT "purchases_package_id_packages_id_fk" FOREIGN KEY ("package_id") REFERENCES "credits"."packages"("id") ON DELETE set null ON UPDATE no action;
ALTER TABLE "credits"."balances" ADD CONSTRAINT "balances_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;
ALTER TABLE "credits"."lots" ADD CONSTRAINT "lots_wallet_id_balances_wallet_id_fk" FOREIGN KEY ("wallet_id") REFERENCES "credits"."balances"("wallet_id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."team_invitations" ADD CONSTRAINT "team_invitations_wallet_id_teams_wallet_id_fk" FOREIGN KEY ("wallet_id") REFERENCES "credits"."teams"("wallet_id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."team_invitations" ADD CONSTRAINT "team_invitations_invited_by_users_id_fk" FOREIGN KEY ("invited_by") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "credits"."team_members" ADD CONSTRAINT "team_members_wallet_id_teams_wallet_id_fk" FOREIGN KEY ("wallet_id") REFERENCES "credits"."teams"("wallet_id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."team_members" ADD CONSTRAINT "team_members_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "auth"."users"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "credits"."teams" ADD CONSTRAINT "teams_wallet_id_balances_wallet_id_fk" FOREIGN KEY ("wallet_id") REFERENCES "credits"."balances"("wallet_id") ON DELETE restrict ON UPDATE no action;
ALTER TABLE "credits"."teams" ADD CONSTRAINT "teams_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "auth"."users"("id") ON DELETE set null ON UPDATE no action;
ALTER TABLE "webhooks"."attempts" ADD CONSTRAINT "attempts_delivery_id_deliveries_id_fk" FOREIGN KEY ("delivery_id") REFERENCES "webhooks"."deliveries"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "webhooks"."deliveries" ADD CONSTRAINT "deliveries_endpoint_id_endpoints_id_fk" FOREIGN KEY ("endpoint_id") REFERENCES "webhooks"."endpoints"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "webhooks"."deliveries" ADD CONSTRAINT "deliveries_event_id_events_id_fk" FOREIGN KEY ("event_id") REFERENCES "webhooks"."events"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "webhooks"."endpoint_secrets" ADD CONSTRAINT "endpoint_secrets_endpoint_id_endpoints_id_fk" FOREIGN KEY ("endpoint_id") REFERENCES "webhooks"."endpoints"("id") ON DELETE cascade ON UPDATE no action;
ALTER TABLE "webhooks"."endpoints" ADD CONSTRAINT "endpoints_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
CREATE UNIQUE INDEX "access_requests_open_key" ON "apps"."access_requests" USING btree ("application_id","user_id") WHERE "apps"."access_requests"."status" = 'pending';
CREATE INDEX "access_requests_user_idx" ON "apps"."access_requests" USING btree ("user_id");
CREATE INDEX "access_requests_decided_by_idx" ON "apps"."access_requests" USING btree ("decided_by");
CREATE INDEX "application_secrets_application_idx" ON "apps"."application_secrets" USING btree ("application_id");
CREATE UNIQUE INDEX "applications_client_id_key" ON "apps"."applications" USING btree ("client_id");
CREATE INDEX "applications_created_by_idx" ON "apps"."applications" USING btree ("created_by");
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
CREATE UNIQUE INDEX "codes_code_hash_key" ON "credits"."codes" USING btree ("code_hash");
CREATE INDEX "codes_created_at_idx" ON "credits"."codes" USING btree ("created_at");
CREATE INDEX "codes_created_by_idx" ON "credits"."codes" USING btree ("created_by");
CREATE INDEX "hold_lots_lot_idx" ON "credits"."hold_lots" USING btree ("lot_id");
CREATE INDEX "holds_open_idx" ON "credits"."holds" USING btree ("wallet_id","expires_at") WHERE "credits"."holds"."status" = 'open';
CREATE INDEX "holds_due_idx" ON "credits"."holds" USING btree ("expires_at") WHERE "credits"."holds"."status" = 'open';
CREATE INDEX "holds_wallet_idx" ON "credits"."holds" USING btree ("wallet_id","created_at");
CREATE INDEX "mandate_usage_mandate_idx" ON "credits"."mandate_usage" USING btree ("mandate_id","charged_at");
CREATE INDEX "mandates_member_idx" ON "credits"."mandates" USING btree ("member_id");
CREATE INDEX "mandates_wallet_idx" ON "credits"."mandates" USING btree ("wallet_id","app_id");
CREATE UNIQUE INDEX "mandates_app_key" ON "credits"."mandates" USING btree ("wallet_id","app_id") WHERE "credits"."mandates"."status" <> 'revoked' and "credits"."mandates"."member_id" is null;
CREATE UNIQUE INDEX "mandates_member_key" ON "credits"."mandates" USING btree ("wallet_id","member_id") WHERE "credits"."mandates"."status" <> 'revoked' and "credits"."mandates"."member_id" is not null;
CREATE INDEX "purchases_wallet_idx" ON "credits"."purchases" USING btree ("wallet_id","created_at");
CREATE INDEX "purchases_user_idx" ON "credits"."purchases" USING btree ("user_id");
CREATE INDEX "purchases_package_idx" ON "credits"."purchases" USING btree ("package_id");
CREATE UNIQUE INDEX "purchases_provider_payment_key" ON "credits"."purchases" USING btree ("provider","provider_payment_id");
CREATE INDEX "balances_owner_idx" ON "credits"."balances" USING btree ("owner_id");
CREATE INDEX "lots_wallet_idx" ON "credits"."lots" USING btree ("wallet_id","id");
CREATE INDEX "lots_open_idx" ON "credits"."lots" USING btree ("wallet_id") WHERE "credits"."lots"."closed_at" is null;
CREATE UNIQUE INDEX "lots_daily_window_key" ON "credits"."lots" USING btree ("wallet_id","daily_window_at") WHERE "credits"."lots"."daily_window_at" is not null;
CREATE UNIQUE INDEX "transactions_wallet_sequence_key" ON "credits"."transactions" USING btree ("wallet_id","sequence");
CREATE INDEX "transactions_reverses_idx" ON "credits"."transactions" USING btree ("reverses_id") WHERE "credits"."transactions"."reverses_id" is not null;
CREATE INDEX "transactions_expire_idx" ON "credits"."transactions" USING btree ("wallet_id","sequence") WHERE "credits"."transactions"."type" = 'expire';
CREATE UNIQUE INDEX "team_invitations_wallet_email_key" ON "credits"."team_invitations" USING btree ("wallet_id","email");
CREATE INDEX "team_invitations_email_idx" ON "credits"."team_invitations" USING btree ("email");
CREATE INDEX "team_invitations_invited_by_idx" ON "credits"."team_invitations" USING btree ("invited_by");
CREATE INDEX "team_members_user_idx" ON "credits"."team_members" USING btree ("user_id");
CREATE INDEX "teams_created_by_idx" ON "credits"."teams" USING btree ("created_by");
CREATE UNIQUE INDEX "events_provider_event_key" ON "payments"."events" USING btree ("provider","provider_event_id");
CREATE INDEX "events_waiting_idx" ON "payments"."events" USING btree ("received_at");
CREATE UNIQUE INDEX "users_email_key" ON "auth"."users" USING btree ("email");
CREATE UNIQUE INDEX "users_username_key" ON "auth"."users" USING btree (lower("username"));
CREATE UNIQUE INDEX "users_auth0_id_key" ON "auth"."users" USING btree ("auth0_id");
CREATE UNIQUE INDEX "users_stripe_customer_id_key" ON "auth"."users" USING btree ("stripe_customer_id");
CREATE UNIQUE INDEX "users_paypal_customer_id_key" ON "auth"."users" USING btree ("paypal_customer_id");
CREATE INDEX "attempts_delivery_idx" ON "webhooks"."attempts" USING btree ("delivery_id","id");
CREATE INDEX "deliveries_endpoint_idx" ON "webhooks"."deliveries" USING btree ("endpoint_id","id");
CREATE INDEX "deliveries_event_idx" ON "webhooks"."deliveries" USING btree ("event_id");
CREATE INDEX "deliveries_completed_idx" ON "webhooks"."deliveries" USING btree ("completed_at") WHERE "webhooks"."deliveries"."completed_at" is not null;
CREATE UNIQUE INDEX "deliveries_first_key" ON "webhooks"."deliveries" USING btree ("endpoint_id","event_id") WHERE not "webhooks"."deliveries"."is_replay";
CREATE INDEX "endpoint_secrets_endpoint_idx" ON "webhooks"."endpoint_secrets" USING btree ("endpoint_id");
CREATE INDEX "endpoints_application_idx" ON "webhooks"."endpoints" USING btree ("application_id");
CREATE INDEX "endpoints_spent_idx" ON "webhooks"."endpoints" USING btree ("id") WHERE "webhooks"."endpoints"."is_enabled" and 'credits.spent' = any ("webhooks"."endpoints"."event_types");