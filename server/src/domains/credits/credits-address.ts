import type { Ctx } from '../../ctx.ts';

/**
 * Where people see and buy their credits, at APP_URL: refusals, mails and payment providers all lead there.
 * `query` says what brings them.
 */
export function creditsAddress(
  { config }: Pick<Ctx, 'config'>,
  query: Readonly<Record<string, string>> = {},
): string {
  const parameters = new URLSearchParams(query);
  return `${config.appUrl}/credits${parameters.size > 0 ? `?${parameters.toString()}` : ''}`;
}
