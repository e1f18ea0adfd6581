// `npm run screenshots`: every page in both themes and two widths, in docs/screenshots; names choose some.
import { ensureInstalled, ensurePagesBuilt, runNode } from './lib.mjs';

await ensureInstalled();
await ensurePagesBuilt();
await runNode(['server/test/browser/screenshots.ts', ...process.argv.slice(2)]);
