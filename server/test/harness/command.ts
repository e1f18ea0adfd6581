import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { TestService } from './index.ts';

type Run = { code: number; stdout: string; stderr: string };

/** The program that `obol` is. */
const program = join(import.meta.dirname, '../../src/cli/main.ts');

/**
 * What runs `obol` as an operator would, beside a service and on its database, with these settings and those
 * of each call: away from the repository, so that no `.env` of a developer is read.
 */
export async function openCommandLine(service: TestService, settings: Record<string, string> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'obol-command-'));
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const run = (args: string[], env: Record<string, string> = {}): Promise<Run> => {
    const { promise, resolve } = Promise.withResolvers<Run>();
    const options = {
      cwd: directory,
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        DATABASE_URL: service.ownerUrl,
        OBOL_SECRET: service.ctx.config.secret,
        ...service.backendEnv,
        ...settings,
        ...env,
      },
    };
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) => {
      // A command that was killed has no code, and has not succeeded either.
      const code = typeof error?.code === 'number' ? error.code : -1;
      resolve({ code: error ? code : 0, stdout, stderr });
    });
    return promise;
  };
  return { directory, run };
}
