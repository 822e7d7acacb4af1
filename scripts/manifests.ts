import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { ensureBinary } from '../test/cluster/binaries.ts';
import { runCommand } from '../test/cluster/command.ts';
import { kubernetesVersion } from '../test/cluster/versions.ts';

const root = join(import.meta.dirname, '..');
const namespace = 'keyferry';

const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

type Manifest = z.infer<typeof manifestSchema>;

/** Which file an object stands in. `defaults` are of our own kinds: they need the CRDs to be there. */
const files: readonly (readonly [file: string, holds: (manifest: Manifest) => boolean])[] = [
  ['crds.yaml', ({ kind }) => kind === 'CustomResourceDefinition'],
  ['policies.yaml', ({ kind }) => kind.startsWith('ValidatingAdmissionPolicy')],
  ['rbac.yaml', ({ kind }) => /^(?:Cluster)?Role(?:Binding)?$/.test(kind)],
  ['defaults/defaults.yaml', ({ apiVersion }) => apiVersion.startsWith('keyferry.io/')],
  ['operator.yaml', () => true],
];

/** What the chart installs with its defaults, as files for those who have no Helm: path in the folder -> content. */
export async function plainManifests(): Promise<ReadonlyMap<string, string>> {
  const manifests = [namespaceObject(), ...(await rendered())];
  const left = new Set(manifests);
  const contents = files.map(([file, holds]) => {
    const own = [...left].filter(holds);
    for (const manifest of own) left.delete(manifest);
    return [file, own.map((manifest) => stringify(manifest, { lineWidth: 0, version: '1.1' })).join('---\n')] as const;
  });
  const here = files.map(([file]) => file).filter((file) => !file.includes('/'));
  return new Map([
    ...contents,
    ['kustomization.yaml', kustomization(here)],
    ['defaults/kustomization.yaml', kustomization(['defaults.yaml'])],
  ]);
}

async function rendered(): Promise<readonly Manifest[]> {
  const helm = await ensureBinary('helm');
  const chart = join(root, 'charts', 'keyferry');
  const known = [`--kube-version=${kubernetesVersion}`, '--api-versions=keyferry.io/v1', '--no-hooks'];
  const text = await runCommand(helm, ['template', 'keyferry', chart, `--namespace=${namespace}`, ...known]);
  return parseAllDocuments(text)
    .map((document) => withoutHelm(manifestSchema.parse(document.toJS())))
    .toSorted((a, b) => `${a.kind}/${a.metadata.name}`.localeCompare(`${b.kind}/${b.metadata.name}`, 'en'));
}

function namespaceObject(): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
}

/** Who applies these has no Helm, which would go by what it finds on them. */
function withoutHelm(manifest: Manifest): Manifest {
  const others = ([key]: readonly [string, string]): boolean =>
    !key.startsWith('helm.sh/') && key !== 'app.kubernetes.io/managed-by' && key !== 'keyferry.io/spec-hash';
  const { labels = {}, annotations = {}, ...rest } = manifest.metadata;
  const kept = Object.entries({ labels, annotations })
    .map(([field, map]) => [field, Object.entries(map).filter(others)] as const)
    .filter(([, entries]) => entries.length > 0)
    .map(([field, entries]) => [field, Object.fromEntries(entries)]);
  return manifestSchema.parse({ ...manifest, metadata: { ...rest, ...Object.fromEntries(kept) } });
}

function kustomization(resources: readonly string[]): string {
  return stringify({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources });
}

/** Writes them, in place of what was there. */
export async function writeManifests(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const [file, content] of await plainManifests()) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
  }
}

if (import.meta.main) {
  const folder = join(root, 'dist', 'manifests');
  await writeManifests(folder);
  process.stdout.write(`kubectl apply --server-side -k ${folder}\n`);
}
