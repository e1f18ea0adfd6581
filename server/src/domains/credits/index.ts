export { openWallet } from './open-wallet.ts';
export { readBalance, type Balance } from './read-balance.ts';
export { addCreditRoutes } from './routes.ts';
