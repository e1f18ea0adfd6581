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

const address = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
console.log(address.port);
