import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { ensureBinary } from '../cluster/binaries.ts';
import { runCommand } from '../cluster/command.ts';
import { kubernetesVersion } from '../cluster/versions.ts';

export const chart = join(import.meta.dirname, '..', '..', 'charts', 'keyferry');

/** Values as a file has them. */
export type Values = Readonly<Record<string, unknown>>;

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
});

/** What a chart renders. */
export type Rendered = z.infer<typeof objectSchema>;

export interface Release {
  readonly name?: string;
  readonly namespace?: string;
  /** Groups and versions that the cluster has besides its own. By default ours, as from the second time on. */
  readonly apiVersions?: readonly string[];
}

/** Runs Helm with folders of its own. Values are given as a file, as people do. */
export async function runHelm(args: readonly string[], values: Values = {}, kubeconfig = ''): Promise<string> {
  const home = join(tmpdir(), 'keyferry-helm');
  const env = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, KUBECONFIG: kubeconfig };
  const given = Object.keys(values).length === 0 ? [] : ['--values', '-'];
  return runCommand(await ensureBinary('helm'), [...args, ...given], { env, input: JSON.stringify(values) });
}

/** What the chart is rendered to, without a cluster. */
export async function renderText(values: Values = {}, release: Release = {}): Promise<string> {
  const { name = 'keyferry', namespace = 'keyferry', apiVersions = ['keyferry.io/v1'] } = release;
  const known = apiVersions.map((version) => `--api-versions=${version}`);
  const args = ['template', name, chart, '--namespace', namespace, `--kube-version=${kubernetesVersion}`, ...known];
  return runHelm(args, values);
}

export async function render(values: Values = {}, release: Release = {}): Promise<readonly Rendered[]> {
  return objectsIn(await renderText(values, release));
}

export function objectsIn(text: string): readonly Rendered[] {
  return parseAllDocuments(text).flatMap((document) => {
    const object: unknown = document.toJS();
    return object === null ? [] : [objectSchema.parse(object)];
  });
}

/** The one object of that kind and name. @throws Error where there is none */
export function only(objects: readonly Rendered[], kind: string, name?: string): Rendered {
  const [found, ...others] = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  if (found === undefined || others.length > 0) throw new Error(`there is not one ${kind} ${name ?? ''} in the chart`);
  return found;
}

const ruleSchema = z.object({
  apiGroups: z.array(z.string()),
  resources: z.array(z.string()),
  verbs: z.array(z.string()),
  resourceNames: z.array(z.string()).default([]),
});
const roleSchema = z.object({ rules: z.array(ruleSchema) });

export type Rule = z.infer<typeof ruleSchema>;

export function rulesOf(role: Rendered): readonly Rule[] {
  return roleSchema.parse(role).rules;
}

const bindingSchema = z.object({
  roleRef: z.object({ kind: z.string(), name: z.string() }),
  subjects: z.array(z.object({ kind: z.string(), name: z.string(), namespace: z.string().optional() })),
});

/** What a service account may do: `where: group/resource[names]: verbs`, in order. `*` is everywhere. */
export function rightsOf(
  objects: readonly Rendered[],
  account: { namespace: string; name: string },
): readonly string[] {
  const bindings = objects.filter(({ kind }) => kind.endsWith('RoleBinding'));
  const rights = bindings.flatMap((binding) => {
    const { roleRef, subjects } = bindingSchema.parse(binding);
    const bound = subjects.some(
      ({ kind, name, namespace }) =>
        kind === 'ServiceAccount' && name === account.name && namespace === account.namespace,
    );
    const where = binding.metadata.namespace ?? '*';
    const role = objects.find(
      ({ kind, metadata }) =>
        kind === roleRef.kind &&
        metadata.name === roleRef.name &&
        (kind === 'ClusterRole' || metadata.namespace === where),
    );
    if (!bound || role === undefined) return [];
    return rulesOf(role).flatMap((rule) => rightsIn(rule).map((right) => `${where}: ${right}`));
  });
  return rights.toSorted();
}

function rightsIn({ apiGroups, resources, verbs, resourceNames }: Rule): readonly string[] {
  const names = resourceNames.length === 0 ? '' : `[${resourceNames.join(',')}]`;
  return apiGroups.flatMap((group) =>
    resources.map((resource) => `${group}/${resource}${names}: ${verbs.toSorted().join(',')}`),
  );
}
