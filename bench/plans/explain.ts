import { open, stat } from 'node:fs/promises';
import pg from 'pg';

/** A node of a plan, as PostgreSQL writes it in JSON. */
export type PlanNode = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Subplan Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
};

/** A statement that ran, of a request or within a function, with the plan that it ran by. */
export type ExplainedStatement = { text: string; plan: PlanNode };

const settings: Record<string, string> = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_format': 'json',
};

/**
 * Makes the server write the plan of every statement of new connections into its log, those inside functions
 * included: what is looked at is what the service runs, not a copy of it.
 */
export async function logPlans(superuserUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await client.query("load 'auto_explain'");
    for (const [name, value] of Object.entries(settings)) {
      await client.query(`alter system set ${name} = ${pg.escapeLiteral(value)}`);
    }
    await client.query('select pg_reload_conf()');
  } finally {
    await client.end();
  }
}

/** Runs the work and returns the statements that the server has logged meanwhile, in their order. */
export async function explained(logFile: string, work: () => Promise<void>): Promise<ExplainedStatement[]> {
  const { size } = await stat(logFile);
  await work();
  const file = await open(logFile);
  try {
    const buffer = Buffer.alloc((await file.stat()).size - size);
    await file.read(buffer, 0, buffer.length, size);
    return readPlans(buffer.toString('utf8'));
  } finally {
    await file.close();
  }
}

/** The plans of a server log: each begins with a line that ends in `plan:` and goes on in indented lines. */
export function readPlans(log: string): ExplainedStatement[] {
  return [...log.matchAll(/ LOG: {2}duration: [\d.]+ ms {2}plan:\n((?:\t.*\n)+)/g)].map(([, json = '']) => {
    const { 'Query Text': text, Plan: plan } = JSON.parse(json) as { 'Query Text': string; Plan: PlanNode };
    return { text, plan };
  });
}
