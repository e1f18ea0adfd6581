#!/usr/bin/env node
// `npm run obol -- COMMAND`: the command line of the service.
import { ensureInstalled, runNode } from './lib.mjs';

await ensureInstalled();
await runNode(['server/src/cli/main.ts', ...process.argv.slice(2)]);
