import type { Ctx } from '../../ctx.ts';
import { handleDisputeJobs } from './disputes/handle-dispute-jobs.ts';
import { handleReconciliationJobs } from './reconciliation/handle-reconciliation-jobs.ts';
import { handleRefundJobs } from './refunds/handle-refund-jobs.ts';

/** Names who does the jobs about money on its way back. */
export function handleReversalJobs(ctx: Ctx): void {
  handleRefundJobs(ctx);
  handleDisputeJobs(ctx);
  handleReconciliationJobs(ctx);
}
