import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from './random.ts';
import { childrenOf, launchService, postmasterPid, untilReady, type RealService } from './real-service.ts';
import type { RealServiceOptions } from './real-service.ts';

/** At most so many answers after the service is ready, and so long after it was started, a kill comes. */
const answersMax = 60;
const startMsMax = 700;

/** The service under attack. */
export type Victim = {
  service: RealService;
  options: RealServiceOptions;
  dataDir: string;
  /** Resolves once so many more calls have been answered. */
  untilAnswered(count: number): Promise<void>;
};

/**
 * Waits until the service is ready. When the death of its database has cut its start off, it is started
 * again, as whatever keeps it running would.
 */
export async function untilUp(victim: Victim): Promise<void> {
  for (;;) {
    const { service } = victim;
    const hasEnded = service.exited.then(() => true);
    try {
      return await untilReady(service);
    } catch (error) {
      const isDatabaseGone = /did not start|ECONN(REFUSED|RESET)|terminat/.test(service.output());
      if (!(await Promise.race([hasEnded, pause(0, false)])) || !isDatabaseGone) throw error;
      victim.service = await launchService(victim.options);
    }
  }
}

/**
 * Waits for a random moment: mostly some answers after the service has become ready, now and then in the
 * middle of its start or of the recovery of its database.
 */
export async function awaitMoment(victim: Victim, random: Random): Promise<void> {
  if (random(6) === 0) {
    await pause(random(startMsMax));
    return;
  }
  await untilUp(victim);
  const ended = victim.service.exited.then(() => {
    throw new Error(`The service has ended by itself:\n${victim.service.output()}`);
  });
  await Promise.race([victim.untilAnswered(1 + random(answersMax)), ended]);
  await pause(random(20));
}

/** Kills the service's process and starts it again. */
export async function killService(victim: Victim): Promise<void> {
  victim.service.kill('SIGKILL');
  await victim.service.exited;
  victim.service = await launchService(victim.options);
}

/**
 * Kills the server of the database as a power cut would, or one of its processes, as a system short of memory
 * does. The service brings it back by itself.
 */
export async function killPostgres(victim: Victim, random: Random): Promise<void> {
  for (;;) {
    const pid = await postmasterPid(victim.dataDir);
    if (pid !== undefined && tryKill(await chooseProcess(pid, random))) return;
    await untilUp(victim);
  }
}

async function chooseProcess(postmaster: number, random: Random): Promise<number> {
  if (random(2) === 0) return postmaster;
  const children = await childrenOf(postmaster);
  return children[random(Math.max(children.length, 1))] ?? postmaster;
}

function tryKill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
