import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const webDir = join(import.meta.dirname, '..');
const distDir = join(webDir, 'dist');

/**
 * Builds the pages unless what is built was made of these very sources: into a folder named by their hash,
 * which `current` then names. Builds at the same time do no harm, as each ends with a rename.
 */
function ensureBuilt(): number {
  const hash = hashSources();
  if (existsSync(join(distDir, hash))) return select(hash);
  process.stdout.write('Building the pages (a few seconds)…\n');
  const temporary = join(distDir, `${hash}.${process.pid}`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, 'bundle.ts'), temporary], {
    stdio: 'inherit',
    // React has a larger, slower half for development, and Vite goes by this variable.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  if (status !== 0) {
    rmSync(temporary, { recursive: true, force: true });
    return status ?? 1;
  }
  if (existsSync(join(distDir, hash))) rmSync(temporary, { recursive: true });
  else renameSync(temporary, join(distDir, hash));
  forgetOldBuilds(hash);
  return select(hash);
}

/** Sources, build and the versions of the tools. */
function hashSources(): string {
  const hash = createHash('sha256');
  const paths = ['src', 'build'].flatMap((dir) =>
    readdirSync(join(webDir, dir), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  for (const path of [...paths, join(webDir, 'package.json')].sort()) {
    hash.update(relative(webDir, path)).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

function select(hash: string): number {
  const current = join(distDir, 'current');
  if (readIfThere(current) === hash) return 0;
  mkdirSync(distDir, { recursive: true });
  const temporary = `${current}.${process.pid}`;
  writeFileSync(temporary, hash);
  renameSync(temporary, current);
  return 0;
}

/** The one before is kept: a service that is starting may be reading it. */
function forgetOldBuilds(hash: string): void {
  const kept = [hash, readIfThere(join(distDir, 'current'))];
  for (const entry of readdirSync(distDir, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.includes('.') || kept.includes(entry.name)) continue;
    rmSync(join(distDir, entry.name), { recursive: true, force: true });
  }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

process.exitCode = ensureBuilt();
