const withoutDecimals = new Set(
  'BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' '),
);
const withThreeDecimals = new Set('BHD IQD JOD KWD LYD OMR TND'.split(' '));

/**
 * How many decimals an amount of a currency (ISO 4217, capitals) has: prices are whole numbers of the last of
 * them, `cents`, wherever they stand. What Intl says is how prices are usually shown, which leaves forints,
 * pesos and rupiahs without the decimals that they are charged with. MGA is counted as Stripe does.
 */
export function currencyDigitsOf(currency: string): 0 | 2 | 3 {
  if (withoutDecimals.has(currency)) return 0;
  return withThreeDecimals.has(currency) ? 3 : 2;
}
