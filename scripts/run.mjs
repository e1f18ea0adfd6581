// `node scripts/run.mjs FILE …`: runs a TypeScript file of the repository on the pinned Node.
import { ensureInstalled, runNode } from './lib.mjs';

await ensureInstalled();
await runNode(process.argv.slice(2));
