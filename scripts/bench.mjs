// `npm run bench`: the benchmarks; `npm run bench -- --help` lists them.
import { ensureInstalled, runNode } from './lib.mjs';

await ensureInstalled();
await runNode(['bench/main.ts', ...process.argv.slice(2)]);
