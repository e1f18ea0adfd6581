-- Mails about payments: a receipt when credits have arrived, a word when a payment failed or a refund is done, and when
-- the bill of a subscription could not be paid. The job is there exactly when what it tells of is.

-- What has been told of a purchase, so that nothing is told twice: its receipt, its failure, and each of its refunds
-- (`subject` is then the provider's name of the refund).
create table payments.purchase_mails (
  purchase_id uuid not null,
  kind text not null,
  subject text not null,
  created_at timestamptz(3) not null,
  constraint purchase_mails_pkey primary key (purchase_id, kind, subject),
  constraint purchase_mails_purchase_id_purchases_id_fk foreign key (purchase_id)
    references credits.purchases (id) on delete cascade,
  constraint purchase_mails_kind_check check (kind in ('receipt', 'failed', 'refund'))
);
select obol.protect('payments.purchase_mails', null, 'select');

-- Enqueues the mails that a purchase has come to. A checkout that was merely left does not count as a failed payment.
create function payments.announce_purchase() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
declare
  told record;
begin
  for told in
    insert into payments.purchase_mails as m (purchase_id, kind, subject, created_at)
      select new.id, due.kind, due.subject, coalesce(new.updated_at, new.created_at)
        from (
          select 'receipt' as kind, '' as subject where new.transaction_id is not null
          union all
          select 'failed', '' where new.status = 'failed' and exists (
            select from payments.checkouts c
             where (c.opened_for = new.id or (c.claimed_by = new.id and c.opened_for is null)) and c.status = 'failed')
          union all
          select 'refund', r.refund_id from payments.refunds r
           where new.refunded_cents > 0 and r.provider = new.provider and r.payment_id = new.provider_payment_id
             and r.status = 'succeeded' and r.is_live = new.is_live and r.currency = new.currency
        ) due
       order by due.kind, due.subject
      on conflict do nothing
      returning m.kind, m.subject
  loop
    perform obol.enqueue_job('send-purchase-mail',
      jsonb_build_object('purchaseId', new.id, 'kind', told.kind, 'refundId', told.subject));
  end loop;
  return null;
end $$;
create trigger purchases_announced after update on credits.purchases
  for each row when (new.transaction_id is distinct from old.transaction_id or new.status <> old.status
    or new.refunded_cents > 0)
  execute function payments.announce_purchase();

-- Enqueues the mail that says that a bill of a subscription could not be paid, once for each bill.
create function payments.announce_failed_invoice() returns trigger
  language plpgsql set search_path = pg_catalog
as $$
begin
  perform obol.enqueue_job('send-past-due-mail',
    jsonb_build_object('provider', new.provider, 'invoiceId', new.invoice_id));
  return null;
end $$;
create trigger invoices_failed_first after insert on payments.invoices
  for each row when (new.status = 'failed') execute function payments.announce_failed_invoice();
create trigger invoices_failed_since after update on payments.invoices
  for each row when (new.status = 'failed' and old.status <> 'failed')
  execute function payments.announce_failed_invoice();

-- A purchase with the address of its buyer (null: they are gone) and what one refund of it came to.
create function payments.purchase_to_tell(wanted uuid, refund text) returns jsonb
  language sql stable security definer set search_path = pg_catalog
as $$
  select payments.purchase_view(p.id) || jsonb_build_object('refund_cents', (
           select r.amount_cents from payments.refunds r where r.provider = p.provider and r.refund_id = refund))
    from credits.purchases p
   where p.id = wanted
$$;
grant execute on function payments.purchase_to_tell(uuid, text) to obol_app;
