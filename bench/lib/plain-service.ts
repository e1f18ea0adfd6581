import { TypeBoxValidatorCompiler, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify from 'fastify';
import pg from 'pg';
import { Type } from 'typebox';

/**
 * The way that services usually spend, behind the same Fastify: a transaction of separate statements that
 * locks the wallet's row, checks funds and key, and then updates under a version check. Without
 * authentication and without anything that Obol does besides, so its figure is rather too good. Prints its
 * port as the first line.
 */
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
const app = Fastify().setValidatorCompiler(TypeBoxValidatorCompiler).withTypeProvider<TypeBoxTypeProvider>();
app.addHook('onClose', () => pool.end());

const spendSchema = Type.Object({
  walletId: Type.String({ minLength: 1, maxLength: 100 }),
  amount: Type.Integer({ minimum: 1 }),
  appId: Type.String({ minLength: 1, maxLength: 100 }),
  description: Type.String({ minLength: 1, maxLength: 500 }),
  idempotencyKey: Type.String({ minLength: 1, maxLength: 255 }),
});
const answerSchema = Type.Object({ transactionId: Type.String(), balance: Type.Integer() });
const options = { schema: { body: spendSchema, response: { 200: answerSchema } } };

app.post('/use', options, async (request) => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const answer = await spend(client, request.body);
    await client.query('commit');
    return answer;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
});

type Spend = { walletId: string; amount: number; appId: string; description: string; idempotencyKey: string };
type Transaction = { id: string; balance_after: string };

async function spend(client: pg.PoolClient, request: Spend) {
  const { walletId, amount, appId, description, idempotencyKey } = request;
  const { rows: wallets } = await client.query<{ balance: string; version: string }>(
    { name: 'lock', text: 'select balance, version from plain.wallets where id = $1 for update' },
    [walletId],
  );
  const { rows: known } = await client.query<Transaction>(
    {
      name: 'known',
      text: `select id, balance_after from plain.transactions
              where wallet_id = $1 and app_id = $2 and idempotency_key = $3`,
    },
    [walletId, appId, idempotencyKey],
  );
  const [first] = known;
  if (first) return { transactionId: first.id, balance: Number(first.balance_after) };
  const [wallet] = wallets;
  if (!wallet || Number(wallet.balance) < amount) throw new Error('insufficient');
  const balance = Number(wallet.balance) - amount;
  const { rowCount } = await client.query(
    {
      name: 'update',
      text: `update plain.wallets set balance = $2, version = version + 1, updated_at = now()
              where id = $1 and version = $3`,
    },
    [walletId, balance, wallet.version],
  );
  if (rowCount !== 1) throw new Error('the version has changed');
  const { rows: made } = await client.query<Transaction>(
    {
      name: 'transaction',
      text: `insert into plain.transactions (wallet_id, app_id, amount, balance_after, description, idempotency_key)
             values ($1, $2, $3, $4, $5, $6) returning id, balance_after`,
    },
    [walletId, appId, -amount, balance, description, idempotencyKey],
  );
  const transactionId = made[0]?.id ?? '';
  await client.query(
    {
      name: 'entries',
      text: `insert into plain.entries (transaction_id, ordinal, account, amount)
             values ($1, 1, $2, $3), ($1, 2, $4, $5)`,
    },
    [transactionId, `wallet:${walletId}`, -amount, `revenue:${appId}`, amount],
  );
  return { transactionId, balance };
}

const address = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
console.log(address.port);
