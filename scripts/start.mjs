// `npm start`: installs what is missing, builds the pages when they have changed, then runs the service.
// `npm run dev` does the last two again whenever a source file changes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, ensurePagesBuilt, root, runNode } from './lib.mjs';

const watch = ['--watch', '--watch-preserve-output', '--watch-path=server/src', '--watch-path=web/src'];
// The service collects what is left over while it rests: see keepMemorySmall in server/src/main.ts.
const flags = JSON.parse(readFileSync(join(root, 'scripts/service-flags.json'), 'utf8'));
const buildFirst = ['--import', './web/build/main.ts'];

await ensureInstalled();
await ensurePagesBuilt();
const isDevelopment = process.argv.includes('--watch');
const options = isDevelopment ? [...watch, ...buildFirst] : [];
await runNode([...flags, ...options, 'server/src/main.ts'], { hasChannel: true });
