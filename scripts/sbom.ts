import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

/** Writes the software bill of materials: what the bundles are made of, by the lockfile, and the images that the Dockerfile builds on. */
const root = join(import.meta.dirname, '..');

const sbomSchema = z.looseObject({ components: z.array(z.looseObject({})), metadata: z.looseObject({}) });
const packageSchema = z.object({ devDependencies: z.object({ node: z.string() }) });

const { stdout } = await promisify(execFile)('npm', ['sbom', '--sbom-format=cyclonedx', '--omit=dev'], {
  cwd: root,
  maxBuffer: 64 * 2 ** 20,
});
const sbom = sbomSchema.parse(JSON.parse(stdout));
const { devDependencies } = packageSchema.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
const images = Array.from(
  (await readFile(join(root, 'Dockerfile'), 'utf8')).matchAll(/^ARG \w+_IMAGE=(\S+)$/gm),
  ([, name = '']) => ({
    type: 'container',
    name,
    'bom-ref': name,
  }),
);
const node = {
  type: 'platform',
  name: 'node',
  version: devDependencies.node,
  'bom-ref': `node@${devDependencies.node}`,
  purl: `pkg:generic/node@${devDependencies.node}`,
};
const path = join(root, 'dist', 'sbom.cdx.json');
await writeFile(
  path,
  `${JSON.stringify({ ...sbom, components: [...sbom.components, node, ...images] }, undefined, 2)}\n`,
);
process.stdout.write(`dist/sbom.cdx.json: ${sbom.components.length} packages, Node and ${images.length} base images\n`);
