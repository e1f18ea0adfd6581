import { randomInt } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { prepareDatabase } from '../../src/db/connect.ts';
import { freePort } from '../../src/db/embedded/server.ts';
import { cloneDatabase, throughPooler } from '../harness/index.ts';
import { makeScratchDir, postmasterPid, startRealService, type RealServiceOptions } from './real-service.ts';
import { createSpender } from './spender.ts';

const kills = 10;
const spenders = 8;
/** Far fewer in all than the 150 credits of each wallet allow. */
const spendsPerLifeMax = 60;

test(
  `after ${kills} kills under load, every acknowledged spend is there, once`,
  { timeout: 240_000 },
  async () => {
    const dataDir = await makeScratchDir();
    const options: RealServiceOptions = { env: await chooseDatabase(dataDir), port: await freePort() };
    let service = await startRealService(options);
    const people = await Promise.all(Array.from({ length: spenders }, () => createSpender(service.url)));
    const before = await Promise.all(people.map((person) => person.readAvailable(service.url)));

    for (let kill = 0; kill < kills; kill++) {
      const killAfter = randomInt(1, spendsPerLifeMax);
      let acknowledged = 0;
      const cut = (): void => {
        acknowledged += 1;
        if (acknowledged === killAfter) service.kill('SIGKILL');
      };
      await Promise.all(people.map((person) => person.spendUntilCut(service.url, cut)));
      expect(await service.exited).toBeNull();
      if (kill % 2 === 1) await killPostgres(dataDir);
      service = await startRealService(options);
    }

    for (const [index, person] of people.entries()) {
      const journal = await person.readJournal(service.url);
      expect(new Set(journal).size).toBe(journal.length);
      expect(person.acknowledged.filter((key) => !journal.includes(key))).toEqual([]);
      // A spend that was in flight at a kill may be there too, unacknowledged; the balance counts it.
      expect(await person.readAvailable(service.url)).toBe((before[index] ?? 0) - journal.length);
    }
    expect(people.flatMap((person) => person.acknowledged).length).toBeGreaterThanOrEqual(kills);
  },
);

/**
 * The database that the backend stands for: the embedded one of a data directory, or one behind the pooler.
 */
async function chooseDatabase(dataDir: string): Promise<Record<string, string>> {
  if (inject('backend') === 'embedded') return { DATA_DIR: dataDir };
  const OBOL_SECRET = 'test secret, thirty-two characters long';
  const { ownerUrl } = await cloneDatabase();
  const { appUrl } = await prepareDatabase(loadConfig({ OBOL_SECRET }), ownerUrl);
  return {
    DATA_DIR: dataDir,
    OBOL_SECRET,
    DATABASE_OWNER_URL: ownerUrl,
    DATABASE_URL: throughPooler(appUrl),
  };
}

/** Kills the embedded server that outlived its service, as a power cut would. */
async function killPostgres(dataDir: string): Promise<void> {
  const pid = await postmasterPid(dataDir);
  if (inject('backend') === 'embedded') expect(pid).toBeGreaterThan(0);
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}
