import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const sampleMs = 100;

/** What a process occupies of the memory, pages shared with others included. Linux only. */
export async function readMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** The most that a process occupies while the work goes on. */
export async function peakMegabytes(pid: number, work: () => Promise<unknown>): Promise<number> {
  let peak = await readMegabytes(pid);
  const watching = new AbortController();
  const watch = async (): Promise<void> => {
    for (const { signal } = watching; !signal.aborted; await pause(sampleMs))
      peak = Math.max(peak, await readMegabytes(pid));
  };
  await Promise.all([work().finally(() => watching.abort()), watch()]);
  return peak;
}
