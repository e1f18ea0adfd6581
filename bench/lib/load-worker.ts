import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Load, LoadResult } from './load.ts';

/** Idempotency keys must differ from request to request: this mark in a request is replaced by a counter. */
const counterMark = '@@@@@@@@@@@@';

process.once('message', (message) => {
  void run(message as Load).then((result) => process.send?.(result));
});

async function run(load: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const startedAt = performance.now();
  const pace = paceOf(load, startedAt);
  const endsAt = startedAt + load.seconds * 1000;
  const runs = Array.from({ length: load.connections }, (_, index) =>
    runConnection({ ...load, pace, endsAt }, index, (status, latencyMs) => {
      latencies.push(latencyMs);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }),
  );
  await Promise.all(runs);
  const elapsedSeconds = (performance.now() - startedAt) / 1000;
  latencies.sort((left, right) => left - right);
  const percentile = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
  return {
    requestsPerSecond: latencies.length / elapsedSeconds,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    statuses,
  };
}

let counter = Number(process.hrtime.bigint() % 1_000_000_000n) * 1000;

function nextRequest(load: Load, index: number): string {
  const request = load.requests[index % load.requests.length] ?? '';
  return request.includes(counterMark)
    ? request.replace(counterMark, String(counter++).padStart(12, '0').slice(-12))
    : request;
}

type OnAnswer = (status: string, latencyMs: number) => void;

type Run = Load & { pace: (index: number) => number; endsAt: number };

/** When the request of this number is due: at once, or in the pace of the load. */
function paceOf({ perSecond }: Load, startedAt: number): (index: number) => number {
  return (index) => (perSecond === undefined ? 0 : startedAt + (index * 1000) / perSecond);
}

function runConnection(load: Run, first: number, onAnswer: OnAnswer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(load.port, '127.0.0.1');
    socket.setNoDelay(true).setEncoding('latin1');
    let index = first;
    let sentAt = 0;
    let received = '';
    const send = (): void => {
      sentAt = performance.now();
      socket.write(nextRequest(load, index));
      index += load.connections;
    };
    socket
      .once('connect', () => setTimeout(send, Math.max(0, load.pace(first) - performance.now())))
      .once('error', reject)
      .once('close', resolve);
    socket.on('data', (chunk: string) => {
      received += chunk;
      const length = answerLength(received);
      if (length === undefined || received.length < length) return;
      const now = performance.now();
      onAnswer(received.slice(9, 12), now - sentAt);
      received = received.slice(length);
      const waitMs = load.pace(index) - now;
      if (now + Math.max(waitMs, 0) >= load.endsAt) socket.end();
      else if (waitMs > 0) setTimeout(send, waitMs);
      else send();
    });
  });
}

/** The length of the first answer in the text, or undefined while its head is incomplete. */
function answerLength(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, headEnd + 2))?.[1];
  return headEnd + 4 + Number(length ?? 0);
}
