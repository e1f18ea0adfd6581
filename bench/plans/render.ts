import type { ExplainedStatement, PlanNode } from './explain.ts';

export type OperationPlans = { title: string; statements: ExplainedStatement[] };

/** Of a table: rows, and bytes per row of itself and of its indexes. */
export type TableSize = {
  table: string;
  rows: number;
  rowBytes: number;
  indexes: { name: string; rowBytes: number }[];
};

/** A sequential scan of one of these is a fault of the plan. */
export function scansOfLargeTables(operations: OperationPlans[], largeTables: Set<string>): string[] {
  return operations.flatMap(({ title, statements }) =>
    statements.flatMap(({ text, plan }) =>
      nodesOf(plan)
        .filter((node) => node['Node Type'] === 'Seq Scan' && largeTables.has(node['Relation Name'] ?? ''))
        .map((node) => `${title}: reads all of ${node['Relation Name']} in ${oneLine(text)}`),
    ),
  );
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** `docs/reference/query-plans.md`: no times, and blocks rounded up, so that machines agree. */
export function renderPlans(operations: OperationPlans[], sizes: TableSize[]): string {
  const transactions = sizes.find(({ table }) => table === 'transactions')?.rows ?? 0;
  return `${[
    '# Query plans',
    `The plans of the hot queries with up to ${rounded(transactions)} transactions in the journal, as the ` +
      'service ran them: `npm run plans` fills a ledger, calls the API and takes what `auto_explain` logs. Statements ' +
      'that touch no table are ' +
      'left out. Blocks of 8 KiB, found in memory or read, are those of the whole statement, and like rows they ' +
      'are rounded up to 1, 2 or 5 times a power of ten. The run fails when a large table is read from end to end.',
    '## Sizes',
    [
      '| table | rows | bytes per row | indexes, bytes per row |',
      '|---|---|---|---|',
      ...sizes.map(sizeRow),
    ].join('\n'),
    ...operations.map(renderOperation),
  ].join('\n\n')}\n`;
}

function sizeRow({ table, rows, rowBytes, indexes }: TableSize): string {
  const parts = indexes.map(({ name, rowBytes: bytes }) => `\`${name}\` ${bytes}`).join(', ');
  return `| ${table} | ${rounded(rows)} | ${rowBytes} | ${parts} |`;
}

function renderOperation({ title, statements }: OperationPlans): string {
  const seen = new Map<string, string>();
  for (const { text, plan } of statements) {
    const shape = shapeOf(plan);
    if (shape !== '') seen.set(`${oneLine(text)}\n${shape}`, describe(text, plan, shape));
  }
  return [`## ${title}`, ...seen.values()].join('\n\n');
}

function describe(text: string, plan: PlanNode, shape: string): string {
  const blocks = rounded(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']);
  return `\`${oneLine(text)}\`: at most ${blocks} blocks\n\n\`\`\`text\n${shape}\n\`\`\``;
}

/** The nodes that read or change a table, each indented by how many such nodes contain it. */
function shapeOf(plan: PlanNode, depth = 0): string {
  const relation = plan['Relation Name'];
  const index = plan['Index Name'];
  const isShown = relation !== undefined || index !== undefined;
  const name = [plan['Node Type'].replace('ModifyTable', 'Write'), relation, index && `by ${index}`];
  const line = isShown ? [`${'  '.repeat(depth)}${name.filter(Boolean).join(' ')}`] : [];
  const inner = (plan.Plans ?? []).map((part) => shapeOf(part, depth + (isShown ? 1 : 0)));
  return [...line, ...inner.filter((text) => text !== '')].join('\n');
}

/** The statement on one line, at most 160 characters of it, so that it can be found in the source. */
function oneLine(text: string): string {
  const line = text.replaceAll(/--.*$/gm, '').replaceAll(/\s+/g, ' ').replaceAll('`', '').trim();
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

/** Rounded up to 1, 2 or 5 times a power of ten. */
export function rounded(count: number): string {
  let bound = 1;
  for (let step = 0; bound < count; step++) bound = [1, 2, 5][step % 3]! * 10 ** Math.floor(step / 3);
  return bound.toLocaleString('en');
}
