import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { ensureBinary } from '../cluster/binaries.ts';
import { nodeFlags } from '../operator/operator-process.ts';
import { chart, only, type Rendered, render, rightsOf, rulesOf } from './helm.ts';
import { matrix } from './matrix.ts';
import { operatorRights as rights } from './operator-rights.ts';

vi.setConfig({ testTimeout: 60_000 });

const account = { namespace: 'keyferry', name: 'keyferry' };
let defaults: readonly Rendered[];
let watching: readonly Rendered[];

beforeAll(async () => {
  await ensureBinary('helm');
  defaults = await render();
  watching = await render({ watchNamespaces: ['shop'] });
}, 600_000);

const rolesIn = (objects: readonly Rendered[]): readonly Rendered[] =>
  objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');

const ofEmbedded = /keyferry\.io\/(?:versionedsecrets|secretversions|secretreveals|secrettypes)|subjectaccessreviews/;
const ofRollouts = / (?:apps|batch|argoproj\.io)\/| \/pods/;

describe('security rule 1: the roles', () => {
  it.each(matrix)('have no wildcard with %s', async (_name, values) => {
    const roles = rolesIn(await render({ crds: { install: false }, policies: { install: false }, ...values }));
    const words = roles.flatMap((role) =>
      rulesOf(role).flatMap(({ apiGroups, resources, verbs }) => [apiGroups, resources, verbs].flat()),
    );

    expect(words.filter((word) => word.includes('*'))).toEqual([]);
  });

  it('let the operator do what is listed here and nothing else', () => {
    expect(rightsOf(defaults, account)).toEqual(rights);
  });

  it('leave out what is of secrets in the cluster where none are kept there', async () => {
    const objects = await render({ embedded: { enabled: false }, defaultManager: { create: false } });

    expect(rightsOf(objects, account)).toEqual(rights.filter((right) => !ofEmbedded.test(right)));
  });

  it('leave out what is of workloads where none are rolled out', async () => {
    const objects = await render({ rollouts: { enabled: false, deleteStuckPods: true } });

    expect(rightsOf(objects, account)).toEqual(rights.filter((right) => !ofRollouts.test(right)));
  });

  it('let pods be deleted only where that is asked for', async () => {
    const objects = await render({ rollouts: { deleteStuckPods: true } });

    expect(rightsOf(objects, account).filter((right) => !rights.includes(right))).toEqual(['*: /pods: delete']);
  });

  it('aggregate `put`, `access` and `destroy` to nothing, and `use` of the default manager to `edit`, unless told otherwise', async () => {
    const aggregated = (objects: readonly Rendered[]): readonly (readonly [string, readonly string[]])[] =>
      rolesIn(objects)
        .filter(({ metadata }) => Object.keys(metadata.labels).some((key) => key.includes('aggregate-to')))
        .map((role) => [role.metadata.name, rulesOf(role).flatMap(({ verbs }) => verbs)]);
    const special = ([, verbs]: readonly [string, readonly string[]]): boolean =>
      verbs.some((verb) => ['put', 'access', 'destroy', 'use'].includes(verb));

    expect(aggregated(defaults).filter(special)).toEqual([['keyferry-edit-use-default-manager', ['use']]]);
    expect(only(defaults, 'ClusterRole', 'keyferry-edit-use-default-manager')).toMatchObject({
      rules: [
        {
          apiGroups: ['keyferry.io'],
          resources: ['clustersecretmanagers'],
          resourceNames: ['default'],
          verbs: ['use'],
        },
      ],
    });
    expect(aggregated(await render({ defaultManager: { useForEditors: false } })).filter(special)).toEqual([]);
  });
});

describe('security rule 4: the policies', () => {
  const policies = (objects: readonly Rendered[]): readonly Rendered[] =>
    objects.filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'));

  it.each([
    ['keyferry', 'keyferry', {}, 'system:serviceaccount:keyferry:keyferry'],
    ['ferry', 'harbour', {}, 'system:serviceaccount:harbour:ferry-keyferry'],
    ['ferry', 'harbour', { fullnameOverride: 'pilot' }, 'system:serviceaccount:harbour:pilot'],
    ['r', 'n', { serviceAccount: { create: false, name: 'sa' } }, 'system:serviceaccount:n:sa'],
  ])(
    'name the operator of release %s in namespace %s with %j as its Deployment does',
    async (name, namespace, values, user) => {
      const objects = await render({ crds: { install: false }, ...values }, { name, namespace });
      const written = policies(objects).map((policy) => JSON.stringify(policy));
      const named = written.flatMap((text) => text.match(/system:serviceaccount:[^']+/g) ?? []);

      const collectors = ['generic-garbage-collector', 'namespace-controller'];
      expect(new Set(named)).toEqual(
        new Set([user, ...collectors.map((one) => `system:serviceaccount:kube-system:${one}`)]),
      );
      const account = user.split(':').at(-1);
      expect(only(objects, 'Deployment')).toMatchObject({
        spec: { template: { spec: { serviceAccountName: account } } },
      });
      expect(written.join('')).toContain(`'kube-node-lease', '${namespace}'`);
    },
  );

  it('are no hooks, which would take them away for a moment at each upgrade, and are not kept', () => {
    expect(policies(defaults)).toHaveLength(24);
    for (const { metadata } of policies(defaults)) expect(metadata.annotations).toEqual({});
  });
});

describe('security rule 13: reading every Secret of the cluster', () => {
  it('is said where it is chosen: in the values, and in the notes of who installs', () => {
    const said = (file: string): string => readFileSync(join(chart, file), 'utf8').replaceAll(/\n#? ?/g, ' ');

    expect(said('values.yaml')).toContain('the operator may read every Secret of the cluster');
    expect(said('README.md')).toContain('it may read every Secret of the cluster');
    expect(said('templates/NOTES.txt')).toContain('The operator may read every Secret of the cluster');
  });

  it('is not needed with `watchNamespaces`: of the cluster there is only what is of no namespace', () => {
    const everywhere = rightsOf(watching, account).filter((right) => right.startsWith('*'));

    expect(everywhere).toEqual([
      '*: /namespaces[kube-system]: get',
      '*: authorization.k8s.io/subjectaccessreviews: create',
      '*: keyferry.io/clustersecretmanagers/status: patch',
      '*: keyferry.io/clustersecretmanagers: get,list,watch',
      '*: keyferry.io/secrettypes: get,list,watch',
    ]);
  });

  it('gives in each of those namespaces what is else given everywhere', () => {
    const inShop = rightsOf(watching, account).filter((right) => right.startsWith('shop'));
    const namespaced = rights.filter(
      (right) =>
        right.startsWith('*') && !/namespaces|subjectaccessreviews|secrettypes|clustersecretmanagers/.test(right),
    );

    expect(inShop).toEqual(namespaced.map((right) => right.replace('*', 'shop')).toSorted());
  });

  it('leaves in its own namespace the credentials of managers, and the sealing keys', () => {
    expect(rightsOf(watching, account).filter((right) => right.startsWith('keyferry'))).toEqual([
      'keyferry: /secrets: create',
      'keyferry: /secrets: get,list,watch',
      'keyferry: /secrets[keyferry-sealing-keys]: patch',
      'keyferry: coordination.k8s.io/leases: create,get,patch',
      'keyferry: keyferry.io/secretreveals: create',
      'keyferry: keyferry.io/secretversions: create',
    ]);
  });
});

const podSchema = z.looseObject({
  securityContext: z.unknown(),
  containers: z.array(
    z.looseObject({
      securityContext: z.unknown(),
      args: z.array(z.string()).default([]),
      command: z.array(z.string()).optional(),
      env: z.array(z.looseObject({ name: z.string() })).default([]),
    }),
  ),
});
const podsIn = (objects: readonly Rendered[]): readonly z.infer<typeof podSchema>[] => [
  z.object({ spec: z.object({ template: z.object({ spec: podSchema }) }) }).parse(only(objects, 'Deployment')).spec
    .template.spec,
  z.object({ spec: podSchema }).parse(only(objects, 'Pod')).spec,
];

describe('security rule 20: the sealing key', () => {
  it('can be a Secret that is mounted, and then the operator is told so', async () => {
    const [pod] = podsIn(await render({ sealingKeys: { file: { secretName: 'mine' } } }));

    expect(pod).toMatchObject({
      containers: [
        { volumeMounts: [{ name: 'sealing-keys', mountPath: '/etc/keyferry/sealing-keys', readOnly: true }] },
      ],
      volumes: [{ name: 'sealing-keys', secret: { secretName: 'mine', defaultMode: 0o440 } }],
    });
    expect(pod?.containers[0]?.args).toContain('--sealing-keys-file=/etc/keyferry/sealing-keys');
  });

  it('can be wrapped by a key of AWS KMS', async () => {
    const [pod] = podsIn(await render({ sealingKeys: { kms: { keyId: 'alias/keyferry' } } }));

    expect(pod?.containers[0]?.args).toContain('--sealing-keys-kms-key-id=alias/keyferry');
  });

  it('is by default where one copy of etcd opens everything, and the notes say so', () => {
    const notes = readFileSync(join(chart, 'templates/NOTES.txt'), 'utf8');

    expect(notes).toContain('one copy of etcd, or one backup of it, opens everything');
  });

  it('is never part of the release, which would show it to whoever may read releases', () => {
    expect(defaults.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });
});

describe('security rule 22: the process', () => {
  it('is what the image makes of it: the chart gives flags of the operator, none of Node', () => {
    const [operator] = podsIn(defaults);
    const [container] = operator?.containers ?? [];

    expect(container?.command).toBeUndefined();
    expect(container?.env.map(({ name }) => name)).toEqual(['POD_NAMESPACE']);
    expect(container?.args.filter((arg) => /inspect|heapsnapshot|allow|node/.test(arg))).toEqual([]);
  });

  it('of helm test has the same flags of Node, and no token', () => {
    const test = podsIn(defaults)[1];

    expect(test?.containers[0]?.command).toEqual(expect.arrayContaining([...nodeFlags]));
    expect(test).toMatchObject({ automountServiceAccountToken: false });
  });

  it('runs as the restricted pod security standard wants it, with nothing to write to', () => {
    const pods = podsIn(defaults);
    expect(pods).toHaveLength(2);
    for (const pod of pods) {
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.containers[0]?.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('has a limit on memory and none on CPU, which would delay rotations', () => {
    expect(podsIn(defaults)[0]?.containers[0]).toMatchObject({
      resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    });
    expect(JSON.stringify(defaults)).not.toMatch(/"limits":\{[^}]*"cpu"/);
  });
});
