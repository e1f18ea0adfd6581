CREATE TABLE "apps"."resources" (
	"identifier" text PRIMARY KEY NOT NULL,
	"application_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);

ALTER TABLE "apps"."access_requests" DROP CONSTRAINT "access_requests_status_check";
ALTER TABLE "apps"."access_requests" ADD COLUMN "granted_role" text;
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
ALTER TABLE "apps"."applications" ADD COLUMN "token_exchange_audiences" text[] DEFAULT '{}' NOT NULL;
ALTER TABLE "apps"."applications" ADD COLUMN "is_verified" boolean DEFAULT false NOT NULL;
ALTER TABLE "apps"."grants" ADD COLUMN "last_used_at" timestamp (3) with time zone;
ALTER TABLE "apps"."resources" ADD CONSTRAINT "resources_application_id_applications_id_fk" FOREIGN KEY ("application_id") REFERENCES "apps"."applications"("id") ON DELETE cascade ON UPDATE no action;
CREATE INDEX "resources_application_idx" ON "apps"."resources" USING btree ("application_id");
ALTER TABLE "apps"."access_requests" ADD CONSTRAINT "access_requests_status_check" CHECK ("apps"."access_requests"."status" in ('pending', 'approved', 'denied', 'withdrawn'));
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_grant_types_check" CHECK ("apps"."applications"."grant_types" <@ array['authorization_code', 'refresh_token', 'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:token-exchange']);
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_auth_method_check" CHECK ("apps"."applications"."token_endpoint_auth_method"
        in ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'));
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_id_token_algorithm_check" CHECK ("apps"."applications"."id_token_algorithm" in ('RS256', 'ES256', 'EdDSA'));
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_jwks_check" CHECK ("apps"."applications"."jwks" is null or "apps"."applications"."jwks_uri" is null);
ALTER TABLE "apps"."applications" ADD CONSTRAINT "applications_pkce_check" CHECK ("apps"."applications"."pkce_required" or "apps"."applications"."type" = 'confidential');