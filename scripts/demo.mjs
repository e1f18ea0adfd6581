// `npm run demo`: the tour, against a running service or one of its own.
import { ensureInstalled, ensurePagesBuilt, runNode } from './lib.mjs';

await ensureInstalled();
await ensurePagesBuilt();
await runNode(['scripts/demo.ts', ...process.argv.slice(2)]);
