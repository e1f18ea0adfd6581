import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';
import type { Config } from '../config.ts';

/** What one counter says after a request has been counted. */
export type Count = {
  name: string;
  max: number;
  windowSeconds: number;
  remaining: number;
  /** How often it was counted in the window, this time included. */
  used: number;
  /** Seconds until the window ends, at least 1. */
  resetSeconds: number;
  exceeded: boolean;
};

export type Counter = {
  count(key: string): Promise<Count>;
  /** What `count` would say, without counting. */
  peek(key: string): Promise<Count>;
};

export type Counters = {
  /** The counter of this name; asked again, the same one. */
  counter(name: string, max: number, windowSeconds: number): Counter;
  close(): Promise<void>;
};

/**
 * Counters in Redis when one is configured, else in the memory of this process. While Redis cannot be
 * reached, each process counts in memory and the log says so once: a limit that is too generous for a while
 * beats refusing everybody.
 */
export async function createCounters(config: Config, log: Logger): Promise<Counters> {
  const redis = await connectRedis(config, log);
  const known = new Map<string, Counter>();
  return {
    counter(name, max, windowSeconds) {
      const existing = known.get(name);
      if (existing) return existing;
      const made = createCounter(createLimiter(redis, name, max, windowSeconds), {
        name,
        max,
        windowSeconds,
      });
      known.set(name, made);
      return made;
    },
    async close() {
      redis?.disconnect();
    },
  };
}

function createLimiter(
  redis: Redis | undefined,
  name: string,
  points: number,
  duration: number,
): RateLimiterAbstract {
  const memory = new RateLimiterMemory({ keyPrefix: name, points, duration });
  if (!redis) return memory;
  return new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `obol:limit:${name}`,
    points,
    duration,
    rejectIfRedisNotReady: true,
    insuranceLimiter: memory,
  });
}

function createCounter(
  limiter: RateLimiterAbstract,
  policy: { name: string; max: number; windowSeconds: number },
): Counter {
  const toCount = (result: RateLimiterRes, exceeded: boolean): Count => ({
    ...policy,
    remaining: Math.max(0, result.remainingPoints),
    used: result.consumedPoints,
    resetSeconds: Math.max(1, Math.ceil(result.msBeforeNext / 1000)),
    exceeded,
  });
  return {
    count: (key) =>
      limiter.consume(key).then(
        (allowed) => toCount(allowed, false),
        (refused: unknown) => {
          if (refused instanceof RateLimiterRes) return toCount(refused, true);
          throw refused;
        },
      ),
    async peek(key) {
      const result = await limiter.get(key);
      // A window that is over is kept for as long as a timer takes.
      if (result === null || result.msBeforeNext <= 0) {
        const { max, windowSeconds } = policy;
        return { ...policy, remaining: max, used: 0, resetSeconds: windowSeconds, exceeded: false };
      }
      return toCount(result, result.consumedPoints >= policy.max);
    },
  };
}

/**
 * Fails fast instead of queueing, so that a Redis that is down or slow costs a request at most a quarter
 * second.
 */
async function connectRedis(config: Config, log: Logger): Promise<Redis | undefined> {
  const options = {
    enableOfflineQueue: false,
    connectTimeout: 2000,
    commandTimeout: 250,
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt: number) => Math.min(attempt * 200, 5000),
  };
  const redis = config.redisUrl
    ? new Redis(config.redisUrl, options)
    : config.redisHost
      ? new Redis({
          ...options,
          host: config.redisHost,
          port: config.redisPort,
          ...(config.redisPassword ? { password: config.redisPassword } : {}),
        })
      : undefined;
  if (!redis) return undefined;
  let isDown = false;
  redis.on('error', (error: Error) => {
    if (!isDown) log.warn({ err: error }, 'Redis cannot be reached: rate limits are counted in each process');
    isDown = true;
  });
  redis.on('ready', () => {
    if (isDown) log.info('Redis answers again: rate limits are shared between processes');
    isDown = false;
  });
  // The first answer, good or bad, so that no request is counted elsewhere while the connection is being
  // made.
  await new Promise<void>((resolve) => redis.once('ready', resolve).once('error', () => resolve()));
  return redis;
}
