import pLimit from 'p-limit';

/** Runs the reading of a page when its turn has come. */
export type ExportLane = <T>(readPage: () => Promise<T>) => Promise<T>;

/**
 * One lane for the long exports of a process: whatever their number, their pages are read one at a time, so
 * that they hold one connection between them, and with a pause as long as the reading took, so that spends
 * have the processor at least every other moment.
 */
export function createExportLane(): ExportLane {
  const limit = pLimit(1);
  return (readPage) =>
    limit(async () => {
      const startedAt = performance.now();
      const page = await readPage();
      await pause(performance.now() - startedAt);
      return page;
    });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
