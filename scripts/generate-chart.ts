import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Document, isScalar, Scalar, visit } from 'yaml';
import { crd, type Manifest } from '../src/api/crd.ts';
import { optionalPolicies, policies } from '../src/api/policies/policies.ts';
import { type Policy, policyManifests } from '../src/api/policies/policy.ts';
import {
  embeddedManifests,
  operatorManifests,
  peopleManifests,
  rolloutManifests,
  unstickManifests,
  type WatchedManifests,
  watchedEmbeddedManifests,
  watchedOperatorManifests,
  watchedRolloutManifests,
  watchedUnstickManifests,
} from '../src/api/rbac.ts';
import { builtInTypes } from '../src/api/secret-types.ts';
import { kinds } from '../src/api/v1/kinds.ts';

import { valuesSchema } from './chart-schema.ts';
import { readValues, valuesTable } from './chart-values.ts';

const chart = 'charts/keyferry';
const templates = `${chart}/templates`;

/** Folders of the chart whose files are all generated. */
export const chartFolders = ['crds', 'policies', 'rbac', 'types'].map((folder) => `${templates}/${folder}`);

/** What stands in the manifests until Helm knows it, and how Helm says it. `$`, as some stand in a range. */
const placeholders = {
  RELEASE_NAMESPACE: '{{ $.Release.Namespace }}',
  SERVICE_ACCOUNT: '{{ include "keyferry.serviceAccountName" $ }}',
  FULL_NAME: '{{ include "keyferry.fullname" $ }}',
  WATCHED_NAMESPACE: '{{ $watched }}',
  // With its quotes: it stands for any number of names.
  "'ClusterSecretManager/EMBEDDED_MANAGERS'": '{{ include "keyferry.embeddedManagers" $ }}',
} as const;

const account = { namespace: 'RELEASE_NAMESPACE', name: 'FULL_NAME', account: 'SERVICE_ACCOUNT' };

/** Helpers that give the labels or annotations of an object. */
interface Metadata {
  readonly labels: string;
  readonly annotations?: string;
}

const ordinary: Metadata = { labels: 'keyferry.labels' };

/** The generated templates of the chart: path below the repository's root -> content. */
export function chartFiles(): ReadonlyMap<string, string> {
  const operator = `system:serviceaccount:${account.namespace}:${account.account}`;
  const all = policies({ operator, embeddedManagers: ['EMBEDDED_MANAGERS'] });
  const crds = { ...ordinary, annotations: 'keyferry.crdAnnotations' };
  const types = { ...ordinary, annotations: 'keyferry.instanceAnnotations' };
  return new Map([
    ...kinds.map((kind) =>
      template(`crds/${kind.resource.plural}`, when('$.Values.crds.install', objects([crd(kind)], crds))),
    ),
    ...all.map((policy) => policyTemplate(policy, '$.Values.policies.install')),
    ...optionalPolicies().map((policy) => policyTemplate(policy, '$.Values.policies.authorAccess')),
    ...builtInTypes.map((type) =>
      template(`types/${type.metadata.name}`, when('include "keyferry.types" $', objects([type], types))),
    ),
    ...roles(),
    ...valueFiles(),
  ]);
}

/** What is made of values.yaml: the schema, and the table in the chart's page, which is written by hand but for it. */
function valueFiles(): readonly (readonly [path: string, content: string])[] {
  const values = readValues(read('values.yaml'));
  const page = read('README.md').replace(
    /(?<=<!-- values -->\n).*(?=<!-- end of values -->)/s,
    () => `\n${valuesTable(values)}\n\n`,
  );
  return [
    [`${chart}/values.schema.json`, `${JSON.stringify(valuesSchema(values), null, 2)}\n`],
    [`${chart}/README.md`, page],
  ];
}

function read(file: string): string {
  return readFileSync(join(import.meta.dirname, '..', chart, file), 'utf8');
}

function roles(): readonly (readonly [path: string, content: string])[] {
  const { create, embedded, rollouts, unstick } = conditions;
  return [
    template('rbac/operator', ofOperator(create, operatorManifests(account), watchedOperatorManifests(account))),
    template('rbac/embedded', ofOperator(embedded, embeddedManifests(account), watchedEmbeddedManifests(account))),
    template('rbac/rollouts', ofOperator(rollouts, rolloutManifests(account), watchedRolloutManifests(account))),
    template('rbac/rollouts-unstick', ofOperator(unstick, unstickManifests(account), watchedUnstickManifests(account))),
    template('rbac/people', when('$.Values.rbac.people', objects(peopleManifests(), ordinary))),
  ];
}

/** Helm makes the namespace itself, and the service account is a choice of its own. */
const madeElsewhere = new Set(['Namespace', 'ServiceAccount']);

const conditions = {
  create: '$.Values.rbac.create',
  embedded: 'and $.Values.rbac.create $.Values.embedded.enabled',
  rollouts: 'and $.Values.rbac.create $.Values.rollouts.enabled',
  unstick: 'and $.Values.rbac.create $.Values.rollouts.enabled $.Values.rollouts.deleteStuckPods',
} as const;

function ofOperator(condition: string, everywhere: readonly Manifest[], watched: WatchedManifests): string {
  const kept = everywhere.filter(({ kind }) => !madeElsewhere.has(kind));
  const each = objects(watched.each('WATCHED_NAMESPACE'), ordinary);
  const lines = [
    '{{- if $.Values.watchNamespaces }}\n',
    objects(watched.once, ordinary),
    `{{- range $watched := $.Values.watchNamespaces }}\n${each}{{- end }}\n`,
    `{{- else }}\n${objects(kept, ordinary)}{{- end }}\n`,
  ];
  return when(condition, lines.join(''));
}

function policyTemplate(policy: Policy, condition: string): readonly [string, string] {
  const name = policy.name.replace('keyferry-', '');
  return template(`policies/${name}`, when(condition, objects(policyManifests(policy), ordinary)));
}

function template(name: string, content: string): readonly [path: string, content: string] {
  return [
    `${templates}/${name}.yaml`,
    `{{- /* Generated by \`make generate\`: change src/api instead. */}}\n${content}`,
  ];
}

function when(condition: string, content: string): string {
  return `{{- if ${condition} }}\n${content}{{- end }}\n`;
}

/** Each object is a document of its own, and says so first: what is around it may be left out. */
function objects(manifests: readonly Manifest[], metadata: Metadata): string {
  return manifests.map((manifest) => `---\n${helmText(manifest, metadata)}`).join('');
}

const labelsMark = 'HELM_LABELS';
const annotationsMark = 'HELM_ANNOTATIONS';

function helmText(manifest: Manifest, { labels, annotations }: Metadata): string {
  const own = manifest.metadata['labels'];
  const text = toYaml({
    ...manifest,
    metadata: {
      ...manifest.metadata,
      labels: { ...(typeof own === 'object' ? own : {}), [labelsMark]: '' },
      ...(annotations !== undefined && { [annotationsMark]: '' }),
    },
  });
  return Object.entries(placeholders)
    .reduce((all, [placeholder, expression]) => all.replaceAll(placeholder, expression), escaped(text))
    .replace(new RegExp(`^ *${labelsMark}: ""$`, 'm'), `    {{- include "${labels}" $ | nindent 4 }}`)
    .replace(new RegExp(`^ *${annotationsMark}: ""$`, 'm'), `  {{- include "${annotations}" $ | nindent 2 }}`);
}

/** Braces of our own are no business of Helm's; and a namespace whose name is a number is still a text. */
function escaped(text: string): string {
  return text
    .replaceAll('{{', '{{ "{{" }}')
    .replaceAll(/: (?<placeholder>RELEASE_NAMESPACE|WATCHED_NAMESPACE)$/gm, ': "$<placeholder>"');
}

/** What Helm puts into a text may have quotes in it, so such a text stands in a block, where nothing is quoted. */
function toYaml(manifest: object): string {
  const document = new Document(manifest, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'value' && isScalar(node) && isPartlyHelm(node.value)) node.type = Scalar.BLOCK_LITERAL;
    },
  });
  return document.toString({ lineWidth: 0 });
}

function isPartlyHelm(value: unknown): boolean {
  if (typeof value !== 'string' || /^[A-Z_a-z-]*$/.test(value)) return false;
  return Object.keys(placeholders).some((placeholder) => value.includes(placeholder));
}
