import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startTestService } from './harness/index.ts';

const file = join(import.meta.dirname, '../../deploy/prometheus/alerts.yml');
const service = await startTestService();
const isPromtoolHere = spawnSync('promtool', ['--version']).error === undefined;

test('the alerts ask for metrics that the service has', async () => {
  const expressions = readFileSync(file, 'utf8').replaceAll(/^ *(description|summary):.*$/gm, '');
  const wanted = new Set(expressions.match(/\bobol_[a-z_]+/g));
  expect(wanted.size).toBeGreaterThan(5);
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'audit-ledger', {}));
  await service.ctx.jobs.runDue();
  await service.send('GET', '/health/live');
  const { body } = await service.send('GET', '/metrics');
  for (const name of wanted) expect(body).toMatch(new RegExp(`^${name}[ {]`, 'm'));
});

test.runIf(isPromtoolHere)('the alert rules pass promtool', () => {
  expect(execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })).toContain('SUCCESS');
});
