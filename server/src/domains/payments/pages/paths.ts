/** The page of credits, and what its forms are sent to. */
export const creditsPath = '/credits';
export const topUpPath = `${creditsPath}/top-up`;
export const planPath = `${creditsPath}/plan`;
