import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isReady, launchService } from './service-process.ts';
import { runTour } from './tour.ts';

const ownReuseWindowSeconds = 1;

const help = `Walks through a running Obol by HTTP, or starts one for the tour and removes it afterwards.

  npm run demo                      the service at http://localhost:$PORT (3001) if one runs there, else its own
  npm run demo -- --url ADDRESS     the service at that address
  npm run demo -- --own             a service of its own in any case
`;

type Toured = { url: string; reuseWindowSeconds: number };

/** What was started or made for the tour is undone by these, last one first. */
const undoings: (() => Promise<void>)[] = [];
let finishing: Promise<never> | undefined;

process.on('SIGINT', () => void finish(130)).on('SIGTERM', () => void finish(143));
// Whoever reads the transcript has seen enough, as `head` does.
process.stdout.on('error', () => void finish(0));

try {
  const { values } = parseArgs({
    options: { url: { type: 'string' }, own: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) console.log(help);
  else await showTour(values);
  await finish(0);
} catch (error) {
  if (!finishing) console.error(`demo: ${(error as Error).message}`);
  await finish(1);
}

async function showTour(options: { url?: string; own?: boolean }): Promise<void> {
  await runTour({
    ...((await findService(options)) ?? (await startService())),
    print: (line) => console.log(line),
    pass: (seconds) => wait(seconds * 1000),
  });
}

/** The running service that the options mean; undefined when there is none, or none is wanted. */
async function findService(options: { url?: string; own?: boolean }): Promise<Toured | undefined> {
  if (options.own) return undefined;
  const url = options.url ?? `http://localhost:${process.env.PORT ?? 3001}`;
  if (!(await isReady(url))) {
    if (options.url) throw new Error(`no service is ready at ${url}/health/ready`);
    return undefined;
  }
  console.error(`The tour of ${url}\n`);
  return { url, reuseWindowSeconds: Number(process.env.REFRESH_REUSE_WINDOW_SECONDS ?? 10) };
}

/** Starts a service with a folder of its own. */
async function startService(): Promise<Toured> {
  console.error('The tour of a service of its own, which is starting …\n');
  const dataDir = await mkdtemp(join(tmpdir(), 'obol-demo-'));
  undoings.push(() => rm(dataDir, { recursive: true, force: true }));
  const service = await launchService({
    DATA_DIR: dataDir,
    DATABASE_URL: '',
    REFRESH_REUSE_WINDOW_SECONDS: String(ownReuseWindowSeconds),
  });
  undoings.push(() => service.stop());
  await service.untilReady();
  return { url: service.url, reuseWindowSeconds: ownReuseWindowSeconds };
}

/** Undoes what the tour needed and ends this process. Further calls wait for the first. */
function finish(exitCode: number): Promise<never> {
  finishing ??= (async () => {
    for (const undo of undoings.toReversed()) await undo();
    process.exit(exitCode);
  })();
  return finishing;
}
