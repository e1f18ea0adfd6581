// `npm run bench`: the benchmarks; `npm run bench -- --help` lists them.
import { ensureInstalled, ensurePagesBuilt, runNode } from './lib.mjs';

await ensureInstalled();
await ensurePagesBuilt();
await runNode(['bench/main.ts', ...process.argv.slice(2)]);
