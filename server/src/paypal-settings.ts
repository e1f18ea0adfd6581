const hosts = {
  live: ['api-m.paypal.com', 'api.paypal.com'],
  sandbox: ['api-m.sandbox.paypal.com', 'api.sandbox.paypal.com'],
};
const toleranceSecondsMax = 259_200;

/**
 * Where an address of PayPal's API leads: where real money moves, to PayPal's sandbox, or to somebody else.
 */
export function paypalModeOf(apiBase: string): 'live' | 'sandbox' | 'stand-in' {
  if (!URL.canParse(apiBase)) return 'stand-in';
  const { protocol, host } = new URL(apiBase);
  if (protocol !== 'https:') return 'stand-in';
  if (hosts.live.includes(host)) return 'live';
  return hosts.sandbox.includes(host) ? 'sandbox' : 'stand-in';
}

/**
 * What is wrong with the settings of PayPal together. What only a stand-in needs has no place in
 * production.
 */
export function findPaypalProblems(values: Record<string, unknown>): string[] {
  const text = (name: string) => (typeof values[name] === 'string' ? values[name] : '');
  const problems: string[] = [];
  const tolerance = values.paypalWebhookToleranceSeconds;
  if (typeof tolerance === 'number' && (tolerance < 1 || tolerance > toleranceSecondsMax))
    problems.push('PAYPAL_WEBHOOK_TOLERANCE: expected 1s to 3d.');
  const standIn = { origin: text('paypalCertificateOrigin'), authority: text('paypalCertificateAuthority') };
  if (values.isProduction === true) {
    if (standIn.origin !== '') problems.push('PAYPAL_CERTIFICATE_ORIGIN: not in production.');
    if (standIn.authority !== '') problems.push('PAYPAL_CERTIFICATE_AUTHORITY: not in production.');
    if (paypalModeOf(text('paypalApiBase')) === 'stand-in')
      problems.push("PAYPAL_API_BASE: expected PayPal's own address in production.");
  }
  if (text('paypalClientId') === '') return problems;
  const isSandbox = paypalModeOf(text('paypalApiBase')) === 'sandbox';
  if (values.isProduction === true && isSandbox && values.paymentsTestMode !== true)
    problems.push(
      'PAYPAL_API_BASE: in the sandbox nobody pays real money. Set https://api-m.paypal.com, or PAYMENTS_TEST_MODE=true.',
    );
  if (text('paypalClientSecret') === '') problems.push('PAYPAL_CLIENT_SECRET is missing.');
  if (!/^([A-Z0-9]{8,20})?$/.test(text('paypalMerchantId')))
    problems.push('PAYPAL_MERCHANT_ID: expected the id of an account, such as 7KGAJ3Y9R5LJE.');
  if (!/^[\w-]{1,50}$/.test(text('paypalWebhookId')))
    problems.push('PAYPAL_WEBHOOK_ID: expected the id of a webhook, such as 1JE4291016473214C.');
  return problems;
}
