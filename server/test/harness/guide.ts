import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished } from 'vitest';

export type Guide = {
  /** The code of one language, in the order of the page. */
  blocks(language: string): string[];
  /**
   * Writes code down beside the tests, so that the packages of the repository are found. Returns its path.
   */
  write(source: string, name: string): Promise<string>;
  /**
   * Runs code as a program of its own until the test ends. Returns its lines as they come, after the first.
   */
  run(source: string, env: Record<string, string>): Promise<string[]>;
};

/** A page of docs/guides whose code is run as it stands. */
export async function readGuide(name: string): Promise<Guide> {
  const text = await readFile(join(import.meta.dirname, '../../../docs/guides', name), 'utf8');
  const dir = await mkdtemp(join(import.meta.dirname, '../guide-'));
  afterAll(() => rm(dir, { recursive: true }));
  const write = async (source: string, file: string): Promise<string> => {
    const path = join(dir, file);
    await writeFile(path, source);
    return path;
  };
  return {
    blocks: (language) =>
      [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\\n\`\`\``, 'g'))].map(
        (match) => match[1] ?? '',
      ),
    write,
    async run(source, env) {
      const path = await write(source, `program-${crypto.randomUUID()}.mjs`);
      const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      onTestFinished(() => void child.kill());
      const lines: string[] = [];
      child.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')));
      await expect.poll(() => lines.length, { timeout: 10_000 }).toBeGreaterThan(0);
      return lines;
    },
  };
}
