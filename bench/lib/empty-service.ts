import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import Fastify from 'fastify';
import { Type } from 'typebox';

/**
 * The limit for reads over HTTP: Fastify with schemas like ours, answering from constants. It does no
 * authentication and asks no database. Prints its port as the first line.
 */
const app = Fastify().setValidatorCompiler(TypeBoxValidatorCompiler);

const lot = Type.Object({
  id: Type.String(),
  source: Type.String(),
  kind: Type.String(),
  remaining: Type.Integer(),
  expiresAt: Type.Union([Type.String(), Type.Null()]),
});
const balance = Type.Object({
  balance: Type.Integer(),
  freeCreditsRemaining: Type.Integer(),
  totalEarned: Type.Integer(),
  totalSpent: Type.Integer(),
  available: Type.Integer(),
  held: Type.Integer(),
  dailyFreeCredits: Type.Integer(),
  nextDailyAt: Type.String(),
  lots: Type.Array(lot),
});
app.get('/api/v1/credits/balance', { schema: { response: { 200: balance } } }, () => ({
  balance: 0,
  freeCreditsRemaining: 150,
  totalEarned: 150,
  totalSpent: 0,
  available: 150,
  held: 0,
  dailyFreeCredits: 5,
  nextDailyAt: '2026-01-01T00:00:00.000Z',
  lots: [
    {
      id: '00000000-0000-7000-8000-000000000000',
      source: 'signup',
      kind: 'free',
      remaining: 150,
      expiresAt: null,
    },
  ],
}));

const claims = {
  sub: Type.String(),
  sid: Type.String(),
  email: Type.String(),
  role: Type.String(),
  exp: Type.Integer(),
};
app.post(
  '/api/v1/auth/validate',
  {
    schema: {
      body: Type.Object({ token: Type.String() }),
      response: { 200: Type.Object({ valid: Type.Boolean(), payload: Type.Object(claims) }) },
    },
  },
  () => ({
    valid: true,
    payload: { sub: 'user', sid: 'session', email: 'user@example.com', role: 'user', exp: 1 },
  }),
);

const budget = Type.Object({
  allowance: Type.Integer(),
  period: Type.String(),
  kinds: Type.Array(Type.String()),
  maxPerSpend: Type.Unsafe({ type: ['integer', 'null'] }),
  used: Type.Integer(),
  remaining: Type.Integer(),
  resetsAt: Type.Unsafe({ type: ['string', 'null'] }),
  status: Type.String(),
});
const verification = Type.Object({
  valid: Type.Boolean(),
  code: Type.String(),
  keyId: Type.String(),
  name: Type.String(),
  userId: Type.String(),
  applicationId: Type.Unsafe({ type: ['string', 'null'] }),
  scopes: Type.Array(Type.String()),
  expiresAt: Type.Unsafe({ type: ['string', 'null'] }),
  rateLimit: Type.Unsafe({ type: ['object', 'null'] }),
  budget,
  charge: Type.Unsafe({ type: ['object', 'null'] }),
  refusal: Type.Unsafe({ type: ['object', 'null'] }),
});
app.post(
  '/api/v1/api-keys/verify',
  { schema: { body: Type.Object({ key: Type.String() }), response: { 200: verification } } },
  () => ({
    valid: true,
    code: 'valid',
    keyId: '00000000-0000-7000-8000-000000000000',
    name: 'Benchmark',
    userId: '00000000-0000-7000-8000-000000000000',
    applicationId: null,
    scopes: ['profile', 'credits:read', 'credits:spend'],
    expiresAt: null,
    rateLimit: null,
    budget: {
      allowance: 1_000_000,
      period: 'month',
      kinds: ['free', 'paid'],
      maxPerSpend: null,
      used: 0,
      remaining: 1_000_000,
      resetsAt: '2026-01-01T00:00:00.000Z',
      status: 'active',
    },
    charge: null,
    refusal: null,
  }),
);

const address = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
console.log(address.port);
