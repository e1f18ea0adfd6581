import pg from 'pg';

/**
 * Puts so many spends of the past behind those of one wallet. They are not sealed and have no entries; a
 * statement reads neither.
 */
export async function fillWallet(ownerUrl: string, walletId: string, transactions: number): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(
      `insert into credits.transactions (id, wallet_id, sequence, type, status, amount, balance_before, balance_after,
           app_id, description, created_at, previous_hash, hash)
         select credits.new_id(b.last_transaction_at), b.wallet_id, b.sequence + n, 'usage', 'completed', -1,
                b.free + b.paid + 1, b.free + b.paid, 'bench', 'benchmark', b.last_transaction_at, b.chain_head,
                b.chain_head
           from credits.balances b cross join generate_series(1, $2::integer) n where b.wallet_id = $1
          order by n`,
      [walletId, transactions],
    );
    await client.query('update credits.balances set sequence = sequence + $2 where wallet_id = $1', [
      walletId,
      transactions,
    ]);
    await client.query('vacuum analyze credits.transactions');
  } finally {
    await client.end();
  }
}
