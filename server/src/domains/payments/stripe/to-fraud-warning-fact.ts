import type { FraudWarningFact } from '../fact.ts';
import { readReference } from './metadata.ts';
import type { StripeFraudWarning } from './shapes.ts';

/** A bank's word that a card was probably stolen; null when it belongs to no payment. */
export function toFraudWarningFact(warning: StripeFraudWarning): FraudWarningFact | null {
  const paymentId = readReference(warning.payment_intent) ?? readReference(warning.charge);
  if (paymentId === null) return null;
  return {
    kind: 'fraud_warning',
    warningId: warning.id,
    paymentId,
    reason: warning.fraud_type,
    isActionable: warning.actionable,
  };
}
