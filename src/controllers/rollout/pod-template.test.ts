import { describe, expect, it } from 'vitest';
import { hashOfTemplate, markersOf, usesOf } from './pod-template.ts';

const env = (name: string, more: object = {}) => ({
  name: 'PASSWORD',
  valueFrom: { secretKeyRef: { name, key: 'password', ...more } },
});
const inSpec = (spec: object) => Object.fromEntries(usesOf({ spec: { containers: [{ name: 'app' }], ...spec } }));

describe('the uses of Secrets by a pod template', () => {
  it.each<[string, object, object]>([
    ['a variable', { containers: [{ env: [env('db')] }] }, { db: ['env'] }],
    ['an optional variable', { containers: [{ env: [env('db', { optional: true })] }] }, { db: ['env'] }],
    ['a variable of an init container', { initContainers: [{ env: [env('db')] }] }, { db: ['env'] }],
    [
      'all variables of a sidecar',
      { initContainers: [{ restartPolicy: 'Always', envFrom: [{ secretRef: { name: 'db' } }] }] },
      { db: ['envFrom'] },
    ],
    ['a volume', { volumes: [{ name: 'v', secret: { secretName: 'db', optional: true } }] }, { db: ['volume'] }],
    [
      'a projected volume',
      { volumes: [{ projected: { sources: [{ configMap: { name: 'x' } }, { secret: { name: 'db' } }] } }] },
      { db: ['volume'] },
    ],
    ['a CSI volume', { volumes: [{ csi: { driver: 'd', nodePublishSecretRef: { name: 'db' } } }] }, { db: ['volume'] }],
    ['Azure files', { volumes: [{ azureFile: { secretName: 'db', shareName: 's' } }] }, { db: ['volume'] }],
    ...['cephfs', 'flexVolume', 'iscsi', 'rbd', 'scaleIO', 'storageos'].map((kind): [string, object, object] => [
      `a volume of ${kind}`,
      { volumes: [{ [kind]: { secretRef: { name: 'db' } } }] },
      { db: ['volume'] },
    ]),
    ['a registry', { imagePullSecrets: [{ name: 'registry' }] }, { registry: ['imagePull'] }],
  ])('include that of %s', (_, spec, expected) => {
    expect(inSpec(spec)).toEqual(expected);
  });

  it('are each named once, in one order, by names in order', () => {
    const found = usesOf({
      spec: {
        imagePullSecrets: [{ name: 'db' }],
        volumes: [{ secret: { secretName: 'db' } }, { secret: { secretName: 'db' } }, { secret: { secretName: 'a' } }],
        containers: [{ env: [env('db'), env('db')] }, { envFrom: [{ secretRef: { name: 'db' } }], env: [env('db')] }],
      },
    });

    expect([...found]).toEqual([
      ['a', ['volume']],
      ['db', ['env', 'envFrom', 'volume', 'imagePull']],
    ]);
  });

  it('are none where nothing names a Secret', () => {
    const spec = {
      containers: [
        { env: [{ name: 'A', value: 'a' }, { valueFrom: { configMapKeyRef: { name: 'x', key: 'y' } } }] },
        { envFrom: [{ configMapRef: { name: 'x' } }, { secretRef: {} }] },
      ],
      volumes: [{ emptyDir: {} }, { secret: { secretName: '' } }],
    };

    expect(inSpec(spec)).toEqual({});
    expect(usesOf(undefined)).toBe(usesOf({ spec }));
  });
});

const path = ['spec', 'template'];
const marker = 'keyferry.io/content.db';

function templateWith(annotations: Record<string, string>) {
  return { metadata: { annotations } };
}

function entry(manager: string, names: readonly string[], more: object = {}) {
  const owned = Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
  return {
    manager,
    operation: 'Apply',
    time: '2026-01-01T00:00:00Z',
    fieldsV1: { 'f:spec': { 'f:template': { 'f:metadata': { 'f:annotations': owned } } } },
    ...more,
  };
}

describe('the markers in a pod template', () => {
  it.each<[string, readonly unknown[], boolean]>([
    ['ours where our manager alone applied it', [entry('keyferry-rollout', [marker])], true],
    ['ours whatever else others own', [entry('keyferry-rollout', [marker]), entry('helm', ['team'])], true],
    ['not ours where others share it', [entry('keyferry-rollout', [marker]), entry('argocd', [marker])], false],
    ['not ours where others took it', [entry('keyferry-rollout', ['other']), entry('kubectl', [marker])], false],
    [
      'not ours where it was updated by that name',
      [entry('keyferry-rollout', [marker], { operation: 'Update' })],
      false,
    ],
    ['not ours where nobody owns it', [], false],
  ])('are %s', (_, managedFields, ours) => {
    const { markers } = markersOf(templateWith({ [marker]: '1:aaaa', team: 'shop' }), managedFields, path);

    expect([...markers]).toEqual([[marker, { value: '1:aaaa', ours }]]);
  });

  it('carry the time at which our manager set them', () => {
    const managedFields = [
      entry('kubectl', ['team'], { time: '2026-02-02T00:00:00Z' }),
      entry('keyferry-rollout', [marker]),
    ];

    expect(markersOf(templateWith({ [marker]: '1:aaaa' }), managedFields, path).markedAt).toBe('2026-01-01T00:00:00Z');
  });

  it('of a CronJob are found where its template stands', () => {
    const { fieldsV1, ...rest } = entry('keyferry-rollout', [marker]);
    const managedFields = [{ ...rest, fieldsV1: { 'f:spec': { 'f:jobTemplate': fieldsV1 } } }];
    const inJob = ['spec', 'jobTemplate', 'spec', 'template'];

    expect(markersOf(templateWith({ [marker]: '1:aaaa' }), managedFields, inJob).markers.get(marker)?.ours).toBe(true);
  });

  it('are none without annotations', () => {
    expect(markersOf({ metadata: { creationTimestamp: null } }, undefined, path).markers.size).toBe(0);
    expect(markersOf(undefined, undefined, path).markedAt).toBeUndefined();
  });
});

describe('the hash of a pod template', () => {
  const spec = { containers: [{ name: 'app', image: 'app:1' }] };

  it.each([
    ['a marker', { metadata: { annotations: { [marker]: '1:aaaa' } }, spec }],
    ['an empty map of annotations', { metadata: { creationTimestamp: null, annotations: {} }, spec }],
    ['the order of fields', { spec: { containers: [{ image: 'app:1', name: 'app' }] }, metadata: {} }],
  ])('is not changed by %s', (_, template) => {
    expect(hashOfTemplate(template)).toBe(hashOfTemplate({ spec }));
  });

  it.each([
    ['a restart by a person', { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } }, spec }],
    ['another image', { spec: { containers: [{ name: 'app', image: 'app:2' }] } }],
    ['another order of containers', { spec: { containers: [{ name: 'b' }, { name: 'a' }] } }],
  ])('is changed by %s', (_, template) => {
    expect(hashOfTemplate(template)).not.toBe(hashOfTemplate({ spec }));
    expect(hashOfTemplate(template)).toMatch(/^[0-9a-f]{8}$/);
  });
});
