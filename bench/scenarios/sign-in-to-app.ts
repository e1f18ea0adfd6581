import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { CodeFlow, type FlowClient } from '../lib/code-flow.ts';
import { startPeer, type Environment } from '../lib/environment.ts';
import { alternate } from '../lib/measure.ts';
import type { Scenario } from '../lib/scenario.ts';

const lanes = 16;
const redirectUri = 'https://app.example.com/callback';
const root = join(import.meta.dirname, '../..');

/**
 * Row 9: people who are signed in come to an app: code and PKCE, tokens, a refresh. Everything is durable
 * with us, and nothing is with the same library on its own adapter in memory.
 */
export const signInToApp: Scenario = {
  row: '9',
  title: 'code + PKCE → tokens → refresh',
  group: 'oauth',
  async run(environment, { seconds, rounds }) {
    // Whoever agrees sees a page.
    spawnSync(process.execPath, [join(root, 'web/build/main.ts')], { stdio: 'inherit' });
    const endings: (() => Promise<void>)[] = [];
    const port = await startPeer(endings, join(root, 'bench/lib/memory-provider.ts'), {});
    try {
      const theirs = { port, clientId: 'app', clientSecret: 'a secret of no use elsewhere', redirectUri };
      const ourFlows = await openFlows(await registerApplication(environment), signIn(environment));
      const theirFlows = await openFlows(theirs, undefined);
      const ratio = await alternate(
        rounds,
        () => flowRate(ourFlows, seconds),
        () => flowRate(theirFlows, seconds),
      );
      const measurement = { label: `${lanes} at once`, against: 'the library in memory', unit: '/s' };
      return [{ ...ratio, ...measurement, goal: { atLeast: 0.6 } }];
    } finally {
      for (const end of endings) await end();
    }
  },
};

type Prepare = (flow: CodeFlow, index: number) => Promise<void>;

/** As many browsers as there are lanes, each of somebody who has signed in and agreed. */
async function openFlows(client: FlowClient, prepare: Prepare | undefined): Promise<CodeFlow[]> {
  const flows = Array.from({ length: lanes }, () => new CodeFlow(client));
  for (const [index, flow] of flows.entries()) {
    await prepare?.(flow, index);
    await flow.run(prepare && agree);
  }
  return flows;
}

function signIn({ emails, password }: Environment): Prepare {
  return async (flow, index) => {
    const json = JSON.stringify({ email: emails[index], password });
    const { status } = await flow.send('POST', '/api/v1/auth/login', undefined, { json });
    if (status !== 200) throw new Error(`nobody could sign in: ${status}`);
  };
}

/** Reads the page that asks, and agrees. */
async function agree(flow: CodeFlow, path: string) {
  const { body } = await flow.send('GET', path);
  const data = /<script type="application\/json" id="page-data">(.*?)<\/script>/s.exec(body)?.[1] ?? '{}';
  const { form } = JSON.parse(data) as { form: { action: string; hidden: Record<string, string> } };
  return flow.send('POST', form.action, { ...form.hidden, decision: 'allow' });
}

async function registerApplication({ port, tokens }: Environment): Promise<FlowClient> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/applications`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens[0]}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'App', redirectUri, roles: ['user'], access: 'open' }),
  });
  const { application } = (await response.json()) as {
    application: { clientId: string; clientSecret: string };
  };
  return { port, redirectUri, clientId: application.clientId, clientSecret: application.clientSecret };
}

/** Whole sign-ins per second. */
async function flowRate(flows: CodeFlow[], seconds: number): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let count = 0;
  const run = async (flow: CodeFlow): Promise<void> => {
    for (; performance.now() < endsAt; count++) await flow.run();
  };
  await Promise.all(flows.map(run));
  return count / ((performance.now() - startedAt) / 1000);
}
