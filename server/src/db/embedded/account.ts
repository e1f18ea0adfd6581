import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A user of the operating system by its numbers. */
export type Account = { uid: number; gid: number };

/** The system user that PostgreSQL runs as when the service runs as root. */
const accountName = 'obol';

/**
 * Whom PostgreSQL runs as; undefined means as this process. PostgreSQL refuses to run as root, so root hands
 * it over: to the owner of the cluster when there is one, else to the system user `obol`, which is created if
 * absent.
 * Throws an Error that says what to do when neither is possible.
 */
export async function serverAccount(clusterDir: string): Promise<Account | undefined> {
  const owner = await ownerOf(clusterDir);
  const self = process.getuid?.();
  if (self !== 0) {
    if (owner && self !== undefined && owner.uid !== self) {
      throw new Error(
        `${clusterDir} belongs to user number ${owner.uid}, not to you (${self}). Start the service as ` +
          'that user or as root, or point DATA_DIR at a directory of your own.',
      );
    }
    return undefined;
  }
  if (process.platform !== 'linux') {
    throw new Error(
      'PostgreSQL does not run as root here. Start the service as a normal user, or set DATABASE_URL.',
    );
  }
  if (owner && owner.uid !== 0) return owner;
  return (await findAccount()) ?? (await createAccount());
}

/**
 * Makes a cluster that root has, say restored from a backup, the account's. Does nothing when there is none
 * yet.
 */
export async function giveTo({ uid, gid }: Account, clusterDir: string): Promise<void> {
  const owner = await ownerOf(clusterDir);
  if (owner && owner.uid !== uid) await run('chown', ['-R', `${uid}:${gid}`, clusterDir]);
}

async function ownerOf(path: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function findAccount(): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', accountName]), run('id', ['-g', accountName])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function createAccount(): Promise<Account> {
  const home = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin'];
  const failure = await run('useradd', ['--system', '--user-group', ...home, accountName], {
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  // Another process may have been quicker, so what counts is whether the user is there now.
  const account = await findAccount();
  if (account) return account;
  throw new Error(
    `PostgreSQL does not run as root, and the system user ${accountName} for it could not be created. ` +
      `Create it (useradd --system --user-group ${accountName}), start the service as a normal user, or ` +
      'set DATABASE_URL.',
    { cause: failure },
  );
}
