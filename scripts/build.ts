import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const outfile = join(root, 'dist', 'operator.mjs');

/** Some dependencies are CommonJS and call `require` for Node's own modules, which an ES module does not have. */
const banner =
  "import { createRequire as nodeRequire } from 'node:module'; const require = nodeRequire(import.meta.url);";

const started = performance.now();
await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // ES modules first, so that what is not used can be left out.
  mainFields: ['module', 'main'],
  banner: { js: banner },
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
});
const { size } = await stat(outfile);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
process.stdout.write(`dist/operator.mjs: ${Math.round(size / 1024)} KiB in ${seconds} s\n`);
