// What all launchers share. Runs on any Node from 18 on and needs no packages: it is what installs them.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository; everything is run from here. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const nodeVersionMin = [22, 18];
const launcherPollMs = 250;
const progressMs = 10_000;

/** Installs the packages of the lock file when they are missing or others. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  console.log('Installing packages (once, about half a minute)…');
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const ticker = setInterval(() => console.log(`  still installing (${seconds()} s)…`), progressMs);
  const npm = process.env.npm_execpath;
  const [command, prefix] = npm ? [process.execPath, [npm]] : ['npm', []];
  const child = spawn(command, [...prefix, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collectOutput(child);
  const { code } = await ended(child);
  clearInterval(ticker);
  if (code === 0) console.log(`Installed in ${seconds()} s.`);
  else fail(`npm ci failed:\n${output().trim()}`);
}

/** Builds the pages when their sources have changed. */
export async function ensurePagesBuilt() {
  const exitCode = await nodeExitCode(['web/build/main.ts']);
  if (exitCode !== 0) process.exit(exitCode);
}

/** Runs `node` with the arguments on the pinned Node; ends this process as that one ends. */
export async function runNode(args, options = {}) {
  process.exit(await nodeExitCode(args, options));
}

/**
 * Runs `node` with the arguments on the pinned Node and returns its exit code. SIGINT and SIGTERM are passed
 * on. `hasChannel`: the program learns by a closed channel when this process is killed.
 */
export function nodeExitCode(args, { env = {}, hasChannel = false } = {}) {
  const stdio = hasChannel ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit';
  return superviseToEnd(spawnNode(args, env, stdio));
}

/** Runs `node` with the arguments on the pinned Node and returns its exit code and what it printed. */
export async function nodeOutput(args) {
  const child = spawnNode(args, {}, ['ignore', 'pipe', 'pipe']);
  const output = collectOutput(child);
  const exitCode = await superviseToEnd(child);
  return { exitCode, output: output() };
}

function spawnNode(args, env, stdio) {
  const node = pinnedNode();
  return spawn(node, args, {
    cwd: root,
    stdio,
    env: {
      NODE_COMPILE_CACHE: join(modules, '.cache', 'compiled'),
      ...process.env,
      PATH: [dirname(node), join(modules, '.bin'), process.env.PATH].join(delimiter),
      ...env,
    },
  });
}

/** Waits for a program to end, as its stand-in for signals, and returns its exit code as a shell would. */
async function superviseToEnd(child) {
  const passOn = (signal) => child.kill(signal);
  process.on('SIGINT', passOn).on('SIGTERM', passOn);
  const watcher = watchLauncher(() => child.kill('SIGTERM'));
  const { code, signal } = await ended(child);
  clearInterval(watcher);
  process.off('SIGINT', passOn).off('SIGTERM', passOn);
  return code ?? 128 + ({ SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 1);
}

function collectOutput(child) {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return () => output;
}

/** The Node that comes with the packages, else this one when it is new enough. */
function pinnedNode() {
  const pinned = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [majorMin, minorMin] = nodeVersionMin;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return process.execPath;
  return fail(
    `Obol needs Node.js ${majorMin}.${minorMin} or newer; this is ${process.versions.node}, and none came ` +
      `with the packages for ${process.platform}-${process.arch}. Install with optional dependencies ` +
      '(npm ci --include=optional), or install a newer Node.js.',
  );
}

/**
 * Whether npm's own record of what it installed agrees with the lock file. An optional package may be absent,
 * for it may be another machine's; when it is there, it must be the right one.
 */
function isInstalled() {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const found = readPackages(join(modules, '.package-lock.json'));
  if (!wanted || !found) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    if (!path.includes('node_modules/')) return true;
    const installed = found[path];
    if (!installed) return optional === true || devOptional === true;
    return installed.version === version && installed.integrity === integrity;
  });
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** Calls back once when npm, which started this program, was killed: it could not pass that on. */
function watchLauncher(onDeath) {
  if (!process.env.npm_lifecycle_event) return undefined;
  const launchers = launcherPids();
  const watcher = setInterval(() => {
    if (launcherPids().join() === launchers.join()) return;
    clearInterval(watcher);
    onDeath();
  }, launcherPollMs);
  return watcher;
}

/** The process above this one, and npm when it is the one above that, with a shell in between. */
function launcherPids() {
  const above = readStat(process.ppid)?.parent;
  return readStat(above)?.name.startsWith('npm') ? [process.ppid, above] : [process.ppid];
}

/** Name and parent of a process, where the system tells by files. */
function readStat(pid) {
  try {
    const [, name, parent] = /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return { name, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve({ code, signal }));
  });
}

/** Ends this process with a message. */
function fail(message) {
  console.error(message);
  process.exit(1);
}
