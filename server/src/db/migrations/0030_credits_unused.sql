-- No function calls it.
drop function credits.member_of(credits.transact_request, credits.balances);
