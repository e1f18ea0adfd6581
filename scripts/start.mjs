// `npm start`: installs what is missing, then runs the service. `npm run dev` restarts it when a file
// changes.
import { ensureInstalled, ensurePagesBuilt, runNode } from './lib.mjs';

await ensureInstalled();
await ensurePagesBuilt();
const watch = process.argv.includes('--watch') ? ['--watch', '--watch-preserve-output'] : [];
await runNode([...watch, 'server/src/main.ts'], { hasChannel: true });
