// `npm start`: installs what is missing, builds the pages when they have changed, then runs the service.
// `npm run dev` does the last two again whenever a source file changes.
import { ensureInstalled, ensurePagesBuilt, runNode } from './lib.mjs';

const watch = ['--watch', '--watch-preserve-output', '--watch-path=server/src', '--watch-path=web/src'];
const buildFirst = ['--import', './web/build/main.ts'];

await ensureInstalled();
await ensurePagesBuilt();
const isDevelopment = process.argv.includes('--watch');
const options = isDevelopment ? [...watch, ...buildFirst] : [];
await runNode([...options, 'server/src/main.ts'], { hasChannel: true });
