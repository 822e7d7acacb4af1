import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Writes dist/types: the declarations of the library, and of what they name. Apart from the bundles, as only the npm package needs them. */
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const specifier = /(\bfrom |\bimport\()'([^']+)'/g;

/** The compiler declares every module below the entry; only those that declarations themselves import are of use to anybody. */
async function collect(folder: string, path: string, files: Map<string, string>): Promise<void> {
  if (files.has(path)) return;
  const text = await readFile(join(folder, path), 'utf8');
  // The compiler leaves the extensions of declarations as they are, and not every tool takes `.ts` for `.d.ts`.
  files.set(
    path,
    text.replaceAll(specifier, (found) => found.replace(/\.ts'$/, ".js'")),
  );
  for (const [, , name = ''] of text.matchAll(specifier)) {
    if (!name.startsWith('.')) throw new Error(`the library's types need ${name}, which nobody has who installs it`);
    await collect(folder, join(dirname(path), name.replace(/\.ts$/, '.d.ts')), files);
  }
}

async function writeTypes(): Promise<void> {
  await mkdir(dist, { recursive: true });
  const emitted = await mkdtemp(join(dist, 'types-'));
  try {
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    // What the compiler has to say goes where everything goes that is no result.
    execFileSync(tsc, ['--project', join(root, 'tsconfig.types.json'), '--outDir', join(emitted, 'all')], {
      stdio: ['ignore', 2, 2],
    });
    const files = new Map<string, string>();
    await collect(join(emitted, 'all'), 'index.d.ts', files);
    for (const [path, text] of files) {
      await mkdir(dirname(join(emitted, 'types', path)), { recursive: true });
      await writeFile(join(emitted, 'types', path), text);
    }
    await rm(join(dist, 'types'), { recursive: true, force: true });
    await rename(join(emitted, 'types'), join(dist, 'types'));
    process.stderr.write(`dist/types: ${files.size} files\n`);
  } finally {
    await rm(emitted, { recursive: true, force: true });
  }
}

await writeTypes();
