import { existsSync } from 'node:fs';
import { loadConfig, settings, type Config } from './config.ts';
import { loadDataSecrets, type DataSecrets } from './data-secrets.ts';

export type Environment = {
  config: Config;
  /** Undefined in production, where every secret is given. */
  dataSecrets: DataSecrets | undefined;
};

/**
 * The configuration of this process: its environment variables, completed by `.env` of the working directory,
 * and in development by the secrets of the data directory, which are made on first use. Throws ConfigError.
 */
export async function loadEnvironment(): Promise<Environment> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const { env } = process;
  if (env.NODE_ENV === 'production') return { config: loadConfig(env), dataSecrets: undefined };
  const dataSecrets = await loadDataSecrets(env.DATA_DIR || settings.dataDir.default);
  const config = loadConfig({ ...env, OBOL_SECRET: env.OBOL_SECRET || dataSecrets.OBOL_SECRET });
  return { config, dataSecrets };
}
