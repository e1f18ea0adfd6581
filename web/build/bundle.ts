import tailwindcss from '@tailwindcss/vite';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type InlineConfig } from 'vite';

const webDir = join(import.meta.dirname, '..');
const outDir = process.argv[2];
if (outDir === undefined) throw new Error('bundle.ts needs the folder to build into');

const shared: InlineConfig = {
  root: webDir,
  configFile: false,
  envDir: false,
  publicDir: false,
  logLevel: 'warn',
  base: '/assets/',
  plugins: [tailwindcss()],
};

type Chunk = { file: string };

/** For browsers: one script, one stylesheet and the icon, each with the hash of its content in its name. */
async function bundleForBrowsers(dir: string): Promise<void> {
  const assets = join(dir, 'assets');
  const script = 'src/client.tsx';
  const style = 'src/style.css';
  await build({
    ...shared,
    build: {
      outDir: assets,
      assetsDir: '',
      manifest: 'manifest.json',
      modulePreload: { polyfill: false },
      rolldownOptions: { input: [join(webDir, script), join(webDir, style)] },
    },
  });
  const manifestPath = join(assets, 'manifest.json');
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as Record<string, Chunk | undefined>;
  rmSync(manifestPath);
  const icon = readFileSync(join(webDir, 'src/icon.svg'));
  const iconName = `icon-${createHash('sha256').update(icon).digest('base64url').slice(0, 8)}.svg`;
  writeFileSync(join(assets, iconName), icon);
  const names = { script: manifest[script]?.file, style: manifest[style]?.file, icon: iconName };
  if (!names.script || !names.style) throw new Error('Vite built no script or no stylesheet');
  writeFileSync(join(dir, 'assets.json'), JSON.stringify(names));
}

/** For the server: one file that needs no packages. */
async function bundleForServer(dir: string): Promise<void> {
  await build({
    ...shared,
    build: { outDir: join(dir, 'server'), ssr: 'src/render.tsx', minify: true },
    ssr: { noExternal: true },
  });
}

mkdirSync(outDir, { recursive: true });
await bundleForBrowsers(outDir);
await bundleForServer(outDir);
