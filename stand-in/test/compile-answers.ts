import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const modules = join(import.meta.dirname, '../../node_modules');
const compiler = join(modules, 'typescript/bin/tsc');
/** How the SDK lets words pass that it does not know by name. */
const otherWords = 'export type OtherString = string & Record<never, never>;';

/** An answer as it was returned, and the name of its type in the declarations. */
export type Answer = { name: string; type: string; value: unknown };

/**
 * Has the TypeScript compiler compare answers with the SDK's own declarations: a field that is missing, or
 * has another type, or that the SDK does not declare is a finding; so is a word that the SDK does not know by
 * name, which its declarations would let pass. Returns what the compiler finds, a line each.
 */
export async function compileAnswers(answers: readonly Answer[]): Promise<string[]> {
  const head =
    "import type Stripe from './stripe/stripe.esm.node.js'; declare const decimal: Stripe.Decimal;";
  return compileIn(async (dir) => {
    await cp(join(modules, 'stripe/esm'), join(dir, 'stripe'), { recursive: true, filter: isDeclaration });
    const shared = join(dir, 'stripe/shared.d.ts');
    const text = await readFile(shared, 'utf8');
    if (!text.includes(otherWords)) throw new Error('the SDK writes its lists of words in another way now');
    await writeFile(shared, text.replace(otherWords, 'export type OtherString = never;'));
    return head;
  }, answers);
}

/** The same for answers of PayPal's, which are compared with what its public reference declares. */
export function comparePayPalAnswers(answers: readonly Answer[]): Promise<string[]> {
  return compileIn(async (dir) => {
    for (const name of ['paypal-reference.ts', 'paypal-billing-reference.ts'])
      await cp(join(import.meta.dirname, name), join(dir, name));
    return "import type * as PayPal from './paypal-reference.ts';";
  }, answers);
}

/** `prepare` puts the declarations into a directory, and returns the line that imports them. */
async function compileIn(
  prepare: (dir: string) => Promise<string>,
  answers: readonly Answer[],
): Promise<string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'stand-in-types-'));
  try {
    const head = await prepare(dir);
    await writeFile(join(dir, 'package.json'), '{"type":"module"}');
    await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['answers.ts'] }));
    await writeFile(join(dir, 'answers.ts'), sourceOf(head, answers));
    return await findings(dir, answers);
  } finally {
    await rm(dir, { recursive: true });
  }
}

function isDeclaration(path: string): boolean {
  return !/\.(js|map)$/.test(path);
}

const compilerOptions = {
  target: 'es2024',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  types: ['node'],
  typeRoots: [join(modules, '@types')],
};

/** A line for the imports, then one for each answer. */
function sourceOf(head: string, answers: readonly Answer[]): string {
  return [head, ...answers.map(({ type, value }) => `(${literalOf(value)}) satisfies ${type};`), ''].join(
    '\n',
  );
}

/** A value as TypeScript writes it. What the SDK has made a decimal of is declared as one. */
function literalOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`;
  if (!isPlain(value)) return 'decimal';
  const entries = Object.entries(value).filter(([, inner]) => typeof inner !== 'function');
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}: ${literalOf(inner)}`).join(', ')}}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

async function findings(dir: string, answers: readonly Answer[]): Promise<string[]> {
  try {
    await run(process.execPath, [compiler, '-p', '.', '--pretty', 'false'], {
      cwd: dir,
      maxBuffer: 64 * 1024 * 1024,
    });
    return [];
  } catch (error) {
    const { stdout = '' } = error as { stdout?: string };
    const lines = stdout.split('\n').filter((line) => line.trim() !== '');
    if (lines.length === 0) throw error;
    return lines.map((line) => {
      const number = Number(/^answers\.ts\((\d+),/.exec(line)?.[1] ?? 0);
      return `${answers[number - 2]?.name ?? ''}: ${line}`;
    });
  }
}
