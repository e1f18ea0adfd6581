import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** So much goes into one transaction. */
const partMax = 500_000;

/** Gives the wallets of a database a past of about so many transactions, and returns how many. */
export async function fillJournal(ownerUrl: string, transactions: number): Promise<number> {
  const text = await readFile(join(import.meta.dirname, 'fill-journal.sql'), 'utf8');
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ wallets: number }>(
      "select set_config('obol.role', 'service', false), count(*)::int as wallets from credits.balances",
    );
    const wallets = rows[0]?.wallets ?? 1;
    const rounds = Math.max(1, Math.round(transactions / wallets));
    const roundsPerPart = Math.max(1, Math.floor(partMax / wallets));
    for (let done = 0; done < rounds; done += roundsPerPart) {
      const part = Math.min(roundsPerPart, rounds - done);
      await client.query(text.replaceAll(':rounds', String(part)));
    }
    await client.query('vacuum analyze');

    return rounds * wallets;
  } finally {
    await client.end();
  }
}
