import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeManifests } from '../../scripts/manifests.ts';
import { chart, only, type Rendered, render, rightsOf } from '../chart/helm.ts';
import { matrix } from '../chart/matrix.ts';
import { eventually } from '../operator/eventually.ts';
import { type ChartCluster, startChartCluster } from './chart-support.ts';
import { newCanary } from './world.ts';

const namespaces = ['keyferry', 'shop', 'cart', 'monitoring'];
let made: ChartCluster;

beforeAll(async () => {
  made = await startChartCluster();
  const folder = join(made.folder, 'manifests');
  await writeManifests(folder);
  await made.kubectl(['apply', '--server-side', '-k', folder]);
  await made.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
  await made.kubectl(['apply', '--server-side', '-k', join(folder, 'defaults')]);
  for (const namespace of namespaces.slice(1)) await made.kubectl(['create', 'namespace', namespace]);
  await made.kubectl(['label', 'namespace', 'keyferry', 'pod-security.kubernetes.io/enforce=restricted']);
}, 600_000);

afterAll(() => made?.stop());

function listOf(items: readonly Rendered[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

/** The cluster has no operator of Prometheus. */
const isKnown = ({ apiVersion }: Rendered): boolean => !apiVersion.startsWith('monitoring.coreos.com/');

describe('what the chart renders', () => {
  it.each(matrix)('is what a real API server takes, with %s', async (name, values) => {
    // The CRDs are large, and the same with all others.
    const objects = await render(name === 'the defaults' ? values : { crds: { install: false }, ...values });
    const file = join(made.folder, 'rendered.json');
    await writeFile(file, listOf(objects.filter(isKnown)));

    const args = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict', '-f', file];
    const said = await made.kubectl(args);

    expect(said.trim().split('\n')).toHaveLength(objects.filter(isKnown).length);
  });
});

it('security rule 22: its pods are let in where the restricted pod security standard is enforced', async () => {
  const { spec } = z
    .object({ spec: z.object({ template: z.object({ spec: z.looseObject({}) }) }) })
    .parse(only(await render(), 'Deployment')).spec.template;
  const pod = (security: object): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'keyferry' },
      spec: { ...spec, ...security },
    });
  const create = ['create', '--dry-run=server', '-f', '-'];

  await made.kubectl(create, pod({}));
  await expect(made.kubectl(create, pod({ hostNetwork: true }))).rejects.toThrow('violates PodSecurity "restricted');
});

/** `kubectl auth can-i --list`, as `rightsOf` writes rights, without where and without what everybody may. */
async function canDo(namespace: string): Promise<readonly string[]> {
  const account = ['--as=system:serviceaccount:keyferry:keyferry', '--as-group=system:serviceaccounts'];
  const said = await made.kubectl([
    'auth',
    'can-i',
    '--list',
    '-n',
    namespace,
    ...account,
    '--as-group=system:authenticated',
  ]);
  const rows = said.trim().split('\n').slice(1);
  return rows.flatMap((row) => {
    const [, resource = '', , names = '', verbs = ''] =
      /^(\S*)\s+\[(.*?)\]\s+\[(.*?)\]\s+\[(.*?)\]$/.exec(row.trim()) ?? [];
    if (resource === '' || resource.startsWith('selfsubject')) return [];
    const [plural = '', ...group] = resource.split('.');
    const [name, subresource] = plural.split('/');
    const [rest = '', after] = group.join('.').split('/');
    const sub = subresource ?? after;
    const written = `${rest}/${name}${sub === undefined ? '' : `/${sub}`}`;
    return [`${written}${names === '' ? '' : `[${names}]`}: ${verbs.split(' ').toSorted().join(',')}`];
  });
}

/** The same right may be written in one rule or in several. */
function apart(rights: readonly string[]): readonly string[] {
  const single = rights.flatMap((right) => {
    const [what = '', verbs = ''] = right.split(': ');
    return verbs.split(',').map((verb) => `${what}: ${verb}`);
  });
  return [...new Set(single)].toSorted();
}

/** What everybody may who is signed in: our role for discovery. */
const everybody = ['keyferry.io/clustersecretmanagers[default]: get', 'keyferry.io/secrettypes: get,list'];

describe('security rule 1: the operator', () => {
  it.each(['keyferry', 'shop'])('may do in namespace %s what the list says, and nothing else', async (namespace) => {
    const rights = rightsOf(await render(), { namespace: 'keyferry', name: 'keyferry' });
    const here = rights.flatMap((right) => {
      const [where = '', ...what] = right.split(': ');
      return where === '*' || where === namespace ? [what.join(': ')] : [];
    });

    expect(apart(await canDo(namespace))).toEqual(apart([...here, ...everybody]));
  });
});

describe('security rule 13: an operator for some namespaces', () => {
  it('gets ready and works with Roles there, and reads no Secret elsewhere', async () => {
    await made.kubectl([
      'delete',
      'clusterrole,clusterrolebinding,role,rolebinding,deploy',
      '-A',
      '-l',
      'app.kubernetes.io/instance=keyferry',
    ]);
    const values = { watchNamespaces: ['shop', 'cart'], rollouts: { deleteStuckPods: true } };
    const objects = (await render(values)).filter(({ kind }) => kind !== 'Pod' && kind !== 'NetworkPolicy');
    await made.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], listOf(objects));
    await made.startOperator('keyferry', 'keyferry');
    const value = newCanary();
    await eventually('versions are taken', () =>
      made.keyferry(['put', 'db.password', '--create', '-n', 'shop'], value),
    );
    const spec = { data: { password: { secret: 'db.password' } } };
    const reference = {
      apiVersion: 'keyferry.io/v1',
      kind: 'SecretReference',
      metadata: { name: 'api-db', namespace: 'shop' },
      spec,
    };
    await made.kubectl(['apply', '-f', '-'], JSON.stringify(reference));
    await made.kubectl(['wait', 'sref', 'api-db', '-n', 'shop', '--for=condition=Ready', '--timeout=60s']);

    const asked = ['get', 'secrets', '--as=system:serviceaccount:keyferry:keyferry'];
    await expect(made.kubectl([...asked, '-n', 'monitoring'])).rejects.toThrow('forbidden');
    await expect(made.kubectl([...asked, '-A'])).rejects.toThrow('forbidden');
    await made.kubectl([...asked, '-n', 'shop']);
  });
});

it('the notes speak of what was chosen', async () => {
  const notes = async (...set: readonly string[]): Promise<string> => {
    const given = set.flatMap((one) => ['--set', one]);
    const crds = ['--set', 'crds.install=false', '--take-ownership', '--dry-run=server'];
    return made.helm(['install', 'keyferry', chart, '-n', 'keyferry', ...crds, ...given]);
  };

  expect(await notes('policies.install=false', 'watchNamespaces={shop}')).toMatch(
    /NOTES:[^]*WARNING: policies\.install is off/,
  );
  expect(await notes('watchNamespaces={shop}')).not.toMatch(/NOTES:[^]*may read every Secret/);
  expect(await notes('sealingKeys.file.secretName=x')).not.toMatch(/NOTES:[^]*keys backup/);
  expect(await notes('sealingKeys.kms.keyId=x')).not.toMatch(/NOTES:[^]*opens everything/);
});
