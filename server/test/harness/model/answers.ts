import type { Refusal } from './mandate.ts';
import type { Outcome, WalletModel } from './wallet.ts';

/** A refusal, or what a success shows. */
export type Decision = { refusal: Refusal } | { refusal?: never; shown?: Record<string, unknown> };

/**
 * Answers a request: the first answer to its key again, or what is decided now. What a mandate refuses is not
 * remembered.
 */
export function answerOnce(
  wallet: WalletModel,
  request: { scope: string; key: string | undefined; content: string },
  now: number,
  decide: () => Decision,
): Outcome {
  wallet.refresh(now);
  const name = JSON.stringify([request.scope, request.key]);
  const known = request.key === undefined ? undefined : wallet.answers.get(name);
  if (known && known.content !== request.content) return refusedAtOnce(wallet, 'idempotency.mismatch');
  if (known) return { ...known.outcome, isReplay: true };
  const decision = decide();
  const { refusal } = decision;
  const outcome: Outcome = {
    code: refusal?.code ?? null,
    details: refusal?.details ?? {},
    isReplay: false,
    totals: wallet.totals(),
    shown: refusal ? {} : (decision.shown ?? {}),
  };
  if (request.key !== undefined && !refusal?.code.startsWith('mandate.')) {
    wallet.answers.set(name, { content: request.content, outcome });
  }
  return outcome;
}

/** A refusal that no key remembers. */
export function refusedAtOnce(wallet: WalletModel, code: string): Outcome {
  return { code, details: {}, isReplay: false, totals: wallet.totals(), shown: {} };
}
