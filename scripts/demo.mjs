// `npm run demo`: the tour, against a running service or one of its own.
import { ensureInstalled, runNode } from './lib.mjs';

await ensureInstalled();
await runNode(['scripts/demo.ts', ...process.argv.slice(2)]);
