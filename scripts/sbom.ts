import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { bundle, type Program, programs } from './build.ts';

/** Writes the software bill of materials: what the bundles are made of, by the lockfile, and the images that the Dockerfile builds on. */
const root = join(import.meta.dirname, '..');

/** The property of a package that names a bundle which has code of it. */
const BUNDLE = 'keyferry:bundle';

const propertySchema = z.object({ name: z.string(), value: z.string() });
const componentSchema = z.looseObject({ 'bom-ref': z.string(), properties: z.array(propertySchema).default([]) });
const sbomSchema = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ 'bom-ref': z.string() }) }),
  components: z.array(componentSchema),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()).optional() })),
});
const packageSchema = z.object({ name: z.string(), version: z.string() });
const manifestSchema = z.object({ devDependencies: z.object({ node: z.string() }) });

export type Sbom = z.infer<typeof sbomSchema>;
type Component = z.infer<typeof componentSchema>;

/** What programs are made of, in CycloneDX; each package says which of their bundles it is in. */
export async function sbomOf(bundled: readonly Program[]): Promise<Sbom> {
  const [sbom, bundles, platforms] = await Promise.all([installed(), bundlesByPackage(bundled), platform()]);
  const components = sbom.components.flatMap((component) => {
    const files = bundles.get(component['bom-ref']);
    return files === undefined ? [] : [partOf(component, files)];
  });
  const described = new Set(components.map((component) => component['bom-ref']));
  const missing = [...bundles.keys()].filter((ref) => !described.has(ref));
  if (missing.length > 0) throw new Error(`npm does not know what is bundled: ${missing.join(', ')}`);
  const present = new Set([...bundles.keys(), sbom.metadata.component['bom-ref']]);
  const dependencies = sbom.dependencies
    .filter(({ ref }) => present.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => present.has(other)) }));
  return { ...sbom, components: [...components, ...platforms], dependencies };
}

/** Everything that the lockfile names, as npm describes it. */
async function installed(): Promise<Sbom> {
  const { stdout } = await promisify(execFile)('npm', ['sbom', '--sbom-format=cyclonedx'], {
    cwd: root,
    maxBuffer: 64 * 2 ** 20,
  });
  return sbomSchema.parse(JSON.parse(stdout));
}

/** `name@version` of each package that has code in a bundle -> the bundles that it is in. */
async function bundlesByPackage(bundled: readonly Program[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const bundles = new Map<string, string[]>();
  for (const program of bundled) {
    const { sources } = await bundle(program);
    const folders = new Set(sources.flatMap((source) => packageFolder.exec(source)?.[0] ?? []));
    for (const folder of folders) {
      const { name, version } = packageSchema.parse(
        JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')),
      );
      const ref = `${name}@${version}`;
      bundles.set(ref, [...(bundles.get(ref) ?? []), program.file]);
    }
  }
  return bundles;
}

const packageFolder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;

/** For npm all of it is for development, since an install brings none of it: it is in the bundles. */
function partOf(component: Component, files: readonly string[]): Component {
  const properties = component.properties.filter(({ name }) => name !== 'cdx:npm:package:development');
  return { ...component, properties: [...properties, ...files.map((value) => ({ name: BUNDLE, value }))] };
}

/** What the operator's bundle stands on: Node, and the images of the Dockerfile. */
async function platform(): Promise<readonly Component[]> {
  const [manifest, dockerfile] = await Promise.all(
    ['package.json', 'Dockerfile'].map((file) => readFile(join(root, file), 'utf8')),
  );
  const { node } = manifestSchema.parse(JSON.parse(manifest ?? '')).devDependencies;
  const images = Array.from((dockerfile ?? '').matchAll(/^ARG \w+_IMAGE=(\S+)$/gm), ([, name = '']) => ({
    type: 'container',
    name,
    'bom-ref': name,
    properties: [],
  }));
  const ref = `node@${node}`;
  return [
    { type: 'platform', name: 'node', version: node, 'bom-ref': ref, purl: `pkg:generic/${ref}`, properties: [] },
    ...images,
  ];
}

if (import.meta.main) {
  const sbom = await sbomOf(programs);
  await mkdir(join(root, 'dist'), { recursive: true });
  await writeFile(join(root, 'dist', 'sbom.cdx.json'), `${JSON.stringify(sbom, undefined, 2)}\n`);
  const packages = sbom.components.filter(({ properties }) => properties.some(({ name }) => name === BUNDLE));
  process.stdout.write(`dist/sbom.cdx.json: ${packages.length} packages, Node and the base images\n`);
}
