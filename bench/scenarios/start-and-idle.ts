import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { launchService, type ServiceProcess } from '../../scripts/service-process.ts';
import { median } from '../lib/measure.ts';
import { readMegabytes } from '../lib/memory.ts';
import type { Measurement, Scenario } from '../lib/scenario.ts';

const startMsMax = 3000;
const memoryMegabytesMax = 200;
/** A minute of idleness when a measurement lasts five seconds, which is the default. */
const idleShare = 12;

/**
 * Row 10: what whoever runs the service notices first. On a data directory of its own with the embedded
 * PostgreSQL; the first start, which makes both, is not counted.
 */
export const startAndIdle: Scenario = {
  row: '10',
  title: 'a start on data that is there',
  group: 'start',
  async run(_environment, { seconds, rounds }) {
    const dataDir = await mkdtemp(join(tmpdir(), 'obol-bench-start-'));
    try {
      await (await start(dataDir)).service.stop();
      const startsMs: number[] = [];
      const memories: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const { service, startMs } = await start(dataDir);
        startsMs.push(startMs);
        if (round === rounds - 1) {
          await pause(seconds * idleShare * 1000);
          memories.push(await readMegabytes(service.pid));
        }
        await service.stop();
      }
      return [
        compare(startsMs, startMsMax, 'until it is ready', ' ms'),
        compare(memories, memoryMegabytesMax, `memory after ${seconds * idleShare} s idle`, ' MB'),
      ];
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  },
};

async function start(dataDir: string): Promise<{ service: ServiceProcess; startMs: number }> {
  const startedAt = performance.now();
  const service = await launchService({ DATA_DIR: dataDir, DATABASE_URL: '' });
  await service.untilReady();
  return { service, startMs: performance.now() - startedAt };
}

function compare(values: number[], most: number, label: string, unit: string): Measurement {
  const ours = median(values);
  const ratio = ours / most;
  return {
    ours,
    theirs: most,
    ratio,
    rounds: values.length,
    label,
    against: 'at most',
    unit,
    goal: { atMost: 1 },
  };
}
