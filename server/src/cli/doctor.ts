import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import type pg from 'pg';
import { ConfigError, type Config } from '../config.ts';
import { diagnoseDatabase, type Finding } from '../db/diagnose.ts';
import { readNotedScale } from '../domains/credits/index.ts';
import { verifySmtp } from '../mail/smtp.ts';
import { loadEnvironment, type Environment } from '../environment.ts';
import { callsOn, withConnections } from './database.ts';
import { createOutput } from './output.ts';

const marks = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;
const nodeMin = [22, 18] as const;

/**
 * `obol doctor`: looks at everything the service needs and says what to do. Exits with 1 when something
 * fails.
 */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'Checks configuration, database, clock, mail and durability, and says what to do. Changes nothing.',
    )
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const output = createOutput(json ?? false);
      const findings = await diagnose();
      for (const { check, status, detail, advice } of findings) {
        output.say(`${marks[status]}  ${check}: ${detail}${advice ? `\n      → ${advice}` : ''}`);
      }
      const failed = findings.filter(({ status }) => status === 'fail').length;
      output.say(failed === 0 ? '\nReady.' : `\n${failed} to mend before the service can run safely.`);
      output.result({ ready: failed === 0, findings });
      if (failed > 0) process.exitCode = 1;
    });
}

async function diagnose(): Promise<Finding[]> {
  const node = nodeVersion();
  let environment: Environment;
  try {
    environment = await loadEnvironment();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const advice =
      'Set it in the environment or in .env; docs/reference/configuration.md lists every setting.';
    return [
      node,
      ...error.problems.map((detail): Finding => ({
        check: 'configuration',
        status: 'fail',
        detail,
        advice,
      })),
    ];
  }
  const { config } = environment;
  const configuration: Finding = {
    check: 'configuration',
    status: 'ok',
    detail: config.isProduction ? 'production' : 'development',
  };
  return [
    node,
    configuration,
    await secrets(config),
    origin(config),
    await mail(config),
    ...(await database(environment)),
  ];
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isNew = major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1]);
  const finding = { check: 'Node.js', detail: process.version };
  return isNew
    ? { ...finding, status: 'ok' }
    : { ...finding, status: 'fail', advice: `Use Node ${nodeMin.join('.')} or newer.` };
}

async function secrets({ dataDir, isProduction }: Config): Promise<Finding> {
  const check = 'secrets';
  if (isProduction) return { check, status: 'ok', detail: 'from the environment' };
  const file = join(dataDir, 'secrets.json');
  const mode = await stat(file).then(
    ({ mode: bits }) => bits & 0o777,
    () => undefined,
  );
  if (mode === undefined)
    return { check, status: 'ok', detail: 'from the environment, or made at the first start' };
  if ((mode & 0o077) === 0) return { check, status: 'ok', detail: `${file} is readable by its owner alone` };
  return {
    check,
    status: 'fail',
    detail: `${file} has mode ${mode.toString(8)}`,
    advice: `Run \`chmod 600 ${file}\`.`,
  };
}

function origin({ baseUrl, isProduction }: Config): Finding {
  const finding = { check: 'address', detail: baseUrl };
  if (!isProduction || baseUrl.startsWith('https:')) return { ...finding, status: 'ok' };
  return {
    ...finding,
    status: 'fail',
    advice: 'Set BASE_URL to the public https:// origin: cookies and tokens depend on it.',
  };
}

async function mail(config: Config): Promise<Finding> {
  const check = 'mail';
  if (config.smtpHost === '') {
    if (!config.isProduction) return { check, status: 'ok', detail: 'kept in the mailbox at /dev/mail' };
    return {
      check,
      status: 'fail',
      detail: 'SMTP_HOST is not set',
      advice: 'Set SMTP_*: people could not reset a password.',
    };
  }
  const problem = await verifySmtp(config);
  const where = `${config.smtpHost}:${config.smtpPort}`;
  if (!problem) return { check, status: 'ok', detail: `${where} accepts us` };
  return {
    check,
    status: 'fail',
    detail: `${where}: ${problem}`,
    advice: 'Check SMTP_HOST, SMTP_PORT, SMTP_USER and SMTP_PASS.',
  };
}

async function database(environment: Environment): Promise<Finding[]> {
  try {
    return await withConnections(environment, ({ appUrl }) =>
      diagnoseDatabase(
        appUrl,
        () => new Date(),
        async (client) => [await scale(client, environment.config)],
      ),
    );
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [
      { check: 'database', status: 'fail', detail, advice: 'Start the service once, or check DATABASE_URL.' },
    ];
  }
}

async function scale(client: pg.ClientBase, { creditsScale }: Config): Promise<Finding> {
  const check = 'credits';
  const noted = await readNotedScale(callsOn(client));
  if (noted === null || noted === creditsScale)
    return { check, status: 'ok', detail: `${creditsScale} decimal places` };
  return {
    check,
    status: 'fail',
    detail: `amounts are noted to have ${noted} decimal places, not ${creditsScale}`,
    advice: `Set CREDITS_SCALE=${noted}; if the note is wrong, run \`obol ledger scale ${creditsScale}\`.`,
  };
}
