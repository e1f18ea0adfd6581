import { useEffect, useState } from 'react';
import type { CreditsPage } from './credits-pages.ts';

const firstWaitMs = 1000;
const longestWaitMs = 10_000;
/** Payments that take longer, such as bank transfers, are told by mail. */
const patienceMs = 15 * 60_000;

/**
 * The page, kept up to date for as long as a payment is waited for. Without JavaScript, the page as it came.
 */
export function useLivePage(page: CreditsPage): CreditsPage {
  const [live, setLive] = useState(page);
  const { refreshUrl } = page;
  const isWaiting = live.arrival?.state === 'waiting';
  useEffect(() => {
    if (!isWaiting) return;
    const watching = new AbortController();
    void watch(refreshUrl, watching.signal, setLive);
    return () => watching.abort();
  }, [isWaiting, refreshUrl]);
  return live;
}

/** Asks again and again, ever less often, until it is told to stop. */
async function watch(url: string, signal: AbortSignal, onPage: (page: CreditsPage) => void): Promise<void> {
  const endsAt = performance.now() + patienceMs;
  for (let waitMs = firstWaitMs; performance.now() < endsAt; waitMs = Math.min(waitMs * 1.3, longestWaitMs)) {
    await pause(waitMs, signal);
    if (signal.aborted) return;
    const page = await ask(url, signal);
    if (page) onPage(page);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

/** What is said now; nothing when nobody answers, or nobody is signed in any more. */
async function ask(url: string, signal: AbortSignal): Promise<CreditsPage | undefined> {
  try {
    const answer = await fetch(url, { signal, headers: { accept: 'application/json' } });
    return answer.ok ? ((await answer.json()) as CreditsPage) : undefined;
  } catch {
    return undefined;
  }
}
