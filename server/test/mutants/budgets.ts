import { migration, type Mutant } from './mutant.ts';

const file = migration('0033_credits_budgets');
const keys = migration('0033_api_keys');
const tests = ['charge', 'budgets', 'two-limits'].map((name) => `../api-keys/verification/${name}.test.ts`);

/** Budgets of API keys: mandates that count besides others. */
export const budgetMutants: Mutant[] = [
  {
    name: 'a spend is not charged to the budget of its key',
    file,
    find: 'if (scene.budget).id is not null then\n    perform',
    replace: 'if false then\n    perform',
    tests,
  },
  {
    name: 'a budget besides a mandate does not count',
    file,
    find: 'taking.refusal := coalesce(refusal, taking.refusal);',
    replace: '',
    tests,
  },
  {
    name: 'a budget alone does not count',
    file,
    find: '    scene.mandate := budget;\n    scene.is_mandated := true;',
    replace: '',
    tests,
  },
  {
    name: 'a refund gives back to one of two mandates',
    file,
    find: 'if charge.mandate_id is distinct from last_mandate then unreturned := amount; end if;',
    replace: 'if last_mandate is null then unreturned := amount; end if;',
    tests,
  },
  {
    name: 'two spends look at a budget at once',
    file,
    find: 'where m.id = credits.budget_of(request) for no key update;',
    replace: 'where m.id = credits.budget_of(request);',
    tests,
  },
  {
    name: 'a key with a budget moves any hold',
    file,
    find: 'and hold.mandate_id is distinct from budget_id',
    replace: 'and false',
    tests,
  },
  {
    name: 'a key places holds that count against one of two limits',
    file,
    find: `elsif budget_id is not null and request.operation = 'hold'`,
    replace: 'elsif false',
    tests,
  },
  {
    name: 'a revoked key spends',
    file: keys,
    find: '   where k.revoked_at is null;',
    replace: '   where true;',
    tests: ['../api-keys/key-life.test.ts'],
  },
  {
    name: 'a key without the scope spends',
    file: keys,
    find: `when not verdict->'scopes' ? 'credits:spend' then 'insufficient_scope'`,
    replace: '',
    tests,
  },
];
