import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTour } from '../../scripts/tour.ts';
import { runCurl } from './harness/curl.ts';
import { startTestService } from './harness/index.ts';

const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
const service = await startTestService();

test('the tour goes as the README shows it', async () => {
  const transcript: string[] = [];
  await runTour({
    url: service.url,
    reuseWindowSeconds: service.ctx.config.refreshReuseWindowSeconds,
    print: (line) => transcript.push(line),
    pass: async (seconds) => service.clock.advance({ seconds }),
  });
  expect(transcript.join('\n')).toBe(/```text\n([\s\S]*?)\n```/.exec(readme)?.[1]);
});

test('the first calls of the README work as they stand', async () => {
  const commands = readme.split('\n').filter((line) => line.startsWith('curl '));
  expect(commands).toHaveLength(4);
  const answers: { status: number; body: any }[] = [];
  for (const command of commands) {
    answers.push(
      await runCurl(service.url, command.replace('$ACCESS_TOKEN', answers[1]?.body.accessToken ?? '')),
    );
  }
  expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200]);
  expect(answers[2]?.body).toMatchObject({ freeCreditsRemaining: 150, available: 150 });
  expect(answers[3]?.body).toMatchObject({ success: true, newBalance: { available: 140 } });
});

test("the first calls of DevPortal's and Moxie's clients work as they stand", async () => {
  const registered = await runCurl(
    service.url,
    `curl -X POST http://localhost:3001/api/auth/register -H "Content-Type: application/json" -d '{"username":"alice","email":"alice@example.com","password":"Password@123"}'`,
  );
  expect(registered).toMatchObject({ status: 201, body: { username: 'alice', email: 'alice@example.com' } });
  const signedIn = await runCurl(
    service.url,
    `curl -X POST http://localhost:3001/api/auth/login -H "Content-Type: application/json" -d '{"email":"alice@example.com","password":"Password@123"}'`,
  );
  expect(signedIn).toMatchObject({
    status: 200,
    body: { token: expect.any(String), user: { username: 'alice' } },
  });
  const me = await runCurl(
    service.url,
    `curl http://localhost:3001/api/users/me -H "Authorization: Bearer ${signedIn.body.token}"`,
  );
  expect(me).toMatchObject({ status: 200, body: { username: 'alice', credits: 150 } });
});
