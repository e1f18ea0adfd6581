import pg from 'pg';
import { vi } from 'vitest';
import type { TestService } from './index.ts';

/**
 * Listens to what is asked of a service's database: its own alone, for what was started for other files of
 * the process may still be at work.
 */
export function watchStatements(service: TestService) {
  const query = vi.spyOn(pg.Client.prototype, 'query');
  const database = new URL(service.ownerUrl).pathname.slice(1);
  return {
    /** The statements that `work` has sent, and what it came to. */
    async during<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }> {
      query.mockClear();
      const result = await work();
      const { calls, contexts } = query.mock;
      const ours = calls.filter((_, i) => (contexts[i] as { database?: string }).database === database);
      return { result, statements: ours.map(([given]) => textOf(given)) };
    },
    end: () => query.mockRestore(),
  };
}

function textOf(given: unknown): string {
  return typeof given === 'string' ? given : (given as { text: string }).text;
}
