import { sql } from 'drizzle-orm';
import { index, uuid } from 'drizzle-orm/pg-core';
import { at, bytes, creditsSchema } from '../../db/columns.ts';
import { balances, credits } from './tables.ts';

/**
 * A mailbox that has had its signup bonus, as a keyed digest of its canonical address. It belongs to nobody
 * and stays when the account goes, so that who comes back gets no second one. `address_hash` is the same of
 * the network address that signed up.
 */
export const bonusMailboxes = creditsSchema.table(
  'bonus_mailboxes',
  {
    mailboxHash: bytes('mailbox_hash').primaryKey(),
    addressHash: bytes('address_hash'),
    paidAt: at('paid_at').notNull(),
  },
  (table) => [
    index('bonus_mailboxes_address_idx')
      .on(table.addressHash, table.paidAt)
      .where(sql`${table.addressHash} is not null`),
  ],
);

/** A signup bonus that is paid once the owner of the wallet has confirmed their e-mail address. */
export const waitingBonuses = creditsSchema.table('waiting_bonuses', {
  walletId: uuid('wallet_id')
    .primaryKey()
    .references(() => balances.walletId, { onDelete: 'cascade' }),
  amount: credits('amount').notNull(),
  createdAt: at('created_at').notNull(),
});
