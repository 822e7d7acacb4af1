import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../../src/config.ts';
import { version } from '../../src/version.ts';
import { ensureBinary } from '../cluster/binaries.ts';
import { kubernetesVersion } from '../cluster/versions.ts';
import { anchorsOf, readPage } from '../docs/pages.ts';
import { installationFiles } from '../operator/install.ts';
import { chart, objectsIn, only, type Rendered, render, renderText, runHelm, type Values } from './helm.ts';
import { matrix } from './matrix.ts';

const root = join(import.meta.dirname, '..', '..');
let defaults: readonly Rendered[];

// Each renders the whole chart.
vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => {
  await ensureBinary('helm');
  defaults = await render();
}, 600_000);

const containerSchema = z.looseObject({
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(z.looseObject({ name: z.string() })),
});
const deploymentSchema = z.object({
  spec: z.object({
    replicas: z.int(),
    template: z.object({ spec: z.looseObject({ containers: z.array(containerSchema) }) }),
  }),
});

const texts = z.record(z.string(), z.string());
const podsSchema = z.object({
  spec: z.object({
    selector: z.object({ matchLabels: texts }),
    template: z.object({ metadata: z.object({ labels: texts, annotations: texts }) }),
  }),
});

function containerOf(objects: readonly Rendered[]): z.infer<typeof containerSchema> {
  const [container] = deploymentSchema.parse(only(objects, 'Deployment')).spec.template.spec.containers;
  if (container === undefined) throw new Error('the Deployment has no container');
  return container;
}

/** Without what Helm and the chart add to the metadata. */
function own({ metadata, ...rest }: Rendered): unknown {
  const { labels, annotations: _added, ...others } = metadata;
  const kept = Object.entries(labels).filter(([key]) => key.startsWith('rbac.authorization.k8s.io/'));
  return { ...rest, metadata: { ...others, labels: Object.fromEntries(kept) } };
}

const nameOf = ({ kind, metadata }: Rendered): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

describe('the chart', () => {
  it('has the version of the operator that it installs', () => {
    const about = z
      .looseObject({ version: z.string(), appVersion: z.string(), kubeVersion: z.string() })
      .parse(parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')));

    expect(about).toMatchObject({ version, appVersion: version, kubeVersion: '>=1.30.0-0' });
    expect(containerOf(defaults).image).toBe(`ghcr.io/keyferry/keyferry:${version}`);
  });

  it('installs what the files of the repository have, object by object', async () => {
    const files = [...installationFiles({ unstick: true }), ...builtInTypes()];
    const expected = files.flatMap((file) => objectsIn(readFileSync(file, 'utf8')));
    const rendered = new Map(
      (await render({ rollouts: { deleteStuckPods: true } })).map((object) => [nameOf(object), own(object)]),
    );

    const made = expected.filter(({ kind }) => !['Namespace', 'ServiceAccount'].includes(kind));
    expect(made.length).toBeGreaterThan(50);
    for (const object of made)
      expect([nameOf(object), rendered.get(nameOf(object))]).toEqual([nameOf(object), own(object)]);
  });

  it('has besides only what is listed here', () => {
    const files = new Set(
      [...installationFiles(), ...builtInTypes()].flatMap((file) => objectsIn(readFileSync(file, 'utf8')).map(nameOf)),
    );

    expect(
      defaults
        .map(nameOf)
        .filter((name) => !files.has(name))
        .toSorted(),
    ).toEqual([
      'ClusterRole /keyferry-edit-use-default-manager',
      'ClusterSecretManager /default',
      'Deployment keyferry/keyferry',
      'NetworkPolicy keyferry/keyferry',
      'Pod keyferry/keyferry-test',
      'PodDisruptionBudget keyferry/keyferry',
      'Service keyferry/keyferry-metrics',
    ]);
  });

  it('is in order for helm lint', async () => {
    const said = await runHelm(['lint', '--strict', `--kube-version=${kubernetesVersion}`, chart]);

    expect(said).toContain('1 chart(s) linted, 0 chart(s) failed');
  });

  it.each(matrix)('renders each object once, in its place and with its labels, with %s', async (_name, values) => {
    const objects = await render({ crds: { install: false }, ...values }, { name: 'ferry', namespace: 'harbour' });
    const names = objects.map(nameOf);

    expect(names).toEqual([...new Set(names)]);
    for (const { metadata } of objects) {
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/instance': 'ferry', 'helm.sh/chart': /./ });
      expect([undefined, 'harbour', 'shop', 'cart', 'monitoring']).toContain(metadata.namespace);
    }
  });

  it('has each label once, whoever gives it, and finds its pods all the same', async () => {
    const text = await renderText({
      commonLabels: { 'app.kubernetes.io/part-of': 'platform', team: 'common' },
      podLabels: { team: 'pods' },
      podAnnotations: { 'kubectl.kubernetes.io/default-container': 'sidecar' },
      metrics: { serviceMonitor: { enabled: true, labels: { team: 'monitoring' } } },
    });
    const objects = objectsIn(text);

    for (const document of parseAllDocuments(text, { uniqueKeys: true })) expect(document.errors).toEqual([]);
    for (const { metadata } of objects)
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/part-of': 'platform' });
    expect(only(objects, 'ServiceMonitor').metadata.labels).toMatchObject({ team: 'monitoring' });
    const { template, selector } = podsSchema.parse(only(objects, 'Deployment')).spec;
    expect(template.metadata.labels).toMatchObject({ ...selector.matchLabels, team: 'pods' });
    expect(template.metadata.annotations).toEqual({ 'kubectl.kubernetes.io/default-container': 'sidecar' });
  });

  it('takes any name and namespace, also one that is a number', async () => {
    const objects = await render({ fullnameOverride: 'x' }, { name: 'r', namespace: '42' });

    expect(only(objects, 'Deployment').metadata).toMatchObject({ name: 'x', namespace: '42' });
  });
});

function builtInTypes(): readonly string[] {
  return ['api-key', 'basic-auth', 'database', 'dockerconfigjson', 'tls'].map((type) =>
    join(root, 'types', `${type}.yaml`),
  );
}

it('the notes name only commands that there are', () => {
  const notes = readFileSync(join(chart, 'templates', 'NOTES.txt'), 'utf8');
  const named = Array.from(notes.matchAll(/^ {2}keyferry ((?:keys )?[a-z-]+)/gm), ([, command = '']) => command);

  expect(new Set(named)).toEqual(new Set(['put', 'keys backup']));
  expect([...anchorsOf(readPage('docs/cli.md'))]).toEqual(expect.arrayContaining(['put', 'keys-backup']));
});

describe('the flags of the operator', () => {
  const config = async (values: Values) => {
    const { args } = containerOf(await render(values));
    return parseConfig({ argv: args, env: { POD_NAMESPACE: 'keyferry' }, identity: 'pod', version });
  };

  it('are by default those that it has by itself', async () => {
    const alone = parseConfig({ argv: [], env: { POD_NAMESPACE: 'keyferry' }, identity: 'pod', version });

    expect(await config({})).toEqual(alone);
  });

  it('say what the values say, each', async () => {
    const values = {
      watchNamespaces: ['shop', 'cart'],
      trustedNamespaceLabels: ['example.com/env'],
      rollouts: { enabled: false, maxConcurrent: 7, minInterval: '1m', deleteStuckPods: true },
      concurrency: 3,
      leaderElection: { enabled: false, leaseDuration: '30s', renewDeadline: '20s', retryPeriod: '4s' },
      replicaCount: 1,
      gracePeriod: '5s',
      logLevel: 'debug',
      logFormat: 'text',
      auditLog: '/var/log/audit.log',
      revealTTL: '2m',
      embedded: { enabled: false },
      defaultManager: { create: false },
      sealingKeys: { file: { secretName: 'keys' } },
    };

    expect(await config(values)).toMatchObject({
      watchNamespaces: ['shop', 'cart'],
      trustedNamespaceLabels: ['example.com/env'],
      rollouts: false,
      maxConcurrentRollouts: 7,
      rolloutMinInterval: 60_000,
      deleteStuckPods: true,
      embedded: false,
      concurrency: 3,
      leaderElection: false,
      leaseDuration: 30_000,
      renewDeadline: 20_000,
      retryPeriod: 4_000,
      gracePeriod: 5_000,
      logLevel: 'debug',
      logFormat: 'text',
      auditLog: '/var/log/audit.log',
      revealTtl: 120_000,
      sealingKeysFile: '/etc/keyferry/sealing-keys',
    });
  });

  it('may be given besides, and then the last one counts', async () => {
    expect(await config({ extraArgs: ['--concurrency=99'] })).toMatchObject({ concurrency: 99 });
  });
});

describe('the default manager', () => {
  const manager = async (defaultManager: Values) => only(await render({ defaultManager }), 'ClusterSecretManager');

  it('keeps secrets in the cluster where nothing is said', async () => {
    expect(await manager({})).toMatchObject({ metadata: { name: 'default' }, spec: { embedded: {} } });
  });

  it('is AWS where that is said, and then the policy does not take `access` for `use`', async () => {
    const access = [{ namespaces: { names: ['*'] }, secrets: ['{namespace}/**'] }];
    const objects = await render({ defaultManager: { aws: { region: 'eu-west-1' }, access, pollInterval: '1m' } });

    expect(only(objects, 'ClusterSecretManager')).toMatchObject({
      spec: { aws: { region: 'eu-west-1' }, access, pollInterval: '1m' },
    });
    expect(JSON.stringify(defaults)).toContain("variables.first0 in ['ClusterSecretManager/default']");
    expect(JSON.stringify(objects)).toContain('variables.first0 in []');
  });

  it('takes the limits of the embedded manager', async () => {
    expect(await manager({ embedded: { limits: { secrets: 500 } } })).toMatchObject({
      spec: { embedded: { limits: { secrets: 500 } } },
    });
  });

  it('stays when the chart goes, as do the types and the CRDs', () => {
    const kept = defaults.filter(({ metadata }) => metadata.annotations['helm.sh/resource-policy'] === 'keep');

    expect([...new Set(kept.map(({ kind }) => kind))].toSorted()).toEqual([
      'ClusterSecretManager',
      'CustomResourceDefinition',
      'SecretType',
    ]);
  });

  it('and the types are hooks where the cluster does not know their kinds yet, and the next upgrade takes them over', async () => {
    const first = await render({}, { name: 'ferry', namespace: 'harbour', apiVersions: [] });
    const hooks = first.filter(({ metadata }) => metadata.annotations['helm.sh/hook'] === 'post-install');

    expect(new Set(hooks.map(({ kind }) => kind))).toEqual(new Set(['ClusterSecretManager', 'SecretType']));
    for (const { metadata } of hooks) {
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'Helm' });
      expect(metadata.annotations).toMatchObject({
        'meta.helm.sh/release-name': 'ferry',
        'meta.helm.sh/release-namespace': 'harbour',
      });
    }
    const without = await render({ installHooks: false }, { apiVersions: [] });
    expect(JSON.stringify(without)).not.toContain('post-install');
  });
});
