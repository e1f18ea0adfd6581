-- Team wallets: who is in, who may read, and credits that move from a person's wallet into a team's.

select obol.protect('credits.teams', null, 'select, insert');
select obol.protect('credits.team_members', 'user_id', 'select, insert, update, delete');
select obol.protect('credits.team_invitations', null, 'select, insert, delete');
