import { describe, expect, it } from 'vitest';
import type { ConsumerKind } from '../../api/v1/rollout.ts';
import { type RawObject, rawObjectSchema } from '../../kube/object.ts';
import { buildMetadata } from '../testing/builders.ts';
import { isSameWorkload, standsAlone, toWorkload } from './to-workload.ts';

const podSpec = { containers: [{ name: 'app', envFrom: [{ secretRef: { name: 'db' } }] }] };
const marker = 'keyferry.io/content.db';

function build(metadata: object, fields: object = {}): RawObject {
  return rawObjectSchema.parse({ metadata: { ...buildMetadata({ name: 'api' }), ...metadata }, ...fields });
}

const template = { metadata: { labels: { app: 'api' }, annotations: { [marker]: '1:aaaa' } }, spec: podSpec };
const ownTemplate = (fields: object) => [
  { manager: 'keyferry-rollout', operation: 'Apply', time: '2026-01-01T00:00:00Z', fieldsV1: { 'f:spec': fields } },
];
const owned = { 'f:template': { 'f:metadata': { 'f:annotations': { [`f:${marker}`]: {} } } } };

describe('a workload', () => {
  it.each<[ConsumerKind, object, object]>([
    ['Deployment', { template }, owned],
    ['StatefulSet', { template }, owned],
    ['DaemonSet', { template }, owned],
    ['Rollout', { template }, owned],
    ['CronJob', { jobTemplate: { spec: { template } } }, { 'f:jobTemplate': { 'f:spec': owned } }],
  ])('of kind %s is known by its template and by whose its markers are', (kind, spec, fields) => {
    const workload = toWorkload(kind, build({ managedFields: ownTemplate(fields) }, { spec }));

    expect(workload.kind).toBe(kind);
    expect([...workload.uses]).toEqual([['db', ['envFrom']]]);
    expect([...workload.markers]).toEqual([[marker, { value: '1:aaaa', ours: true }]]);
    expect(workload.markedAt).toBe('2026-01-01T00:00:00Z');
  });

  it('keeps of its metadata what is asked for', () => {
    const annotations = { 'keyferry.io/rollout': 'false', huge: 'x' };
    const { metadata, choice } = toWorkload(
      'Deployment',
      build({ annotations, labels: { team: 'shop' }, managedFields: [] }),
    );

    expect(metadata).toEqual(buildMetadata({ name: 'api', annotations: { 'keyferry.io/rollout': 'false' } }));
    expect(choice).toBe('out');
  });

  it.each([
    ['true', 'in'],
    ['false', 'out'],
    ['yes', undefined],
  ])('with the annotation %j is chosen: %s', (annotation, expected) => {
    const raw = build({ annotations: { 'keyferry.io/rollout': annotation } });

    expect(toWorkload('CronJob', raw).choice).toBe(expected);
  });

  it('has the labels of its selector, or else those of its template', () => {
    const byLabels = { selector: { matchLabels: { app: 'db' } }, template };
    const byExpressions = { selector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, template };

    expect(toWorkload('Deployment', build({}, { spec: byLabels })).selector).toEqual({ app: 'db' });
    expect(toWorkload('Deployment', build({}, { spec: byExpressions })).selector).toEqual({ app: 'api' });
  });

  it('of Argo may take its template from another', () => {
    const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' };
    const workload = toWorkload('Rollout', build({}, { spec: { workloadRef } }));

    expect(workload.workloadRef).toEqual({ kind: 'Deployment', name: 'api' });
    expect(workload.uses.size).toBe(0);
  });

  it('that uses nothing shares what it is empty of with others', () => {
    const one = toWorkload('Deployment', build({}));
    const other = toWorkload('Job', build({}));

    expect(one.uses).toBe(other.uses);
    expect(one.markers).toBe(other.markers);
    expect(one.selector).toBe(other.selector);
  });

  it('that is a Pod is its own template, whatever is annotated to it', () => {
    const first = toWorkload('Pod', build({}, { spec: podSpec }));
    const later = toWorkload('Pod', build({ annotations: { 'cni.example/ip': '10.0.0.1' } }, { spec: podSpec }));

    expect([...first.uses]).toEqual([['db', ['envFrom']]]);
    expect(later.template).toBe(first.template);
  });

  it.each([
    [true, []],
    [true, [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: '1' }]],
    [false, [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: '1', controller: true }]],
  ])('stands alone: %s with the owners %j', (expected, ownerReferences) => {
    expect(standsAlone(build({ ownerReferences }))).toBe(expected);
  });
});

describe('a change of a workload', () => {
  const deploymentOf = (metadata: object, spec: object = {}, status: object = {}) =>
    toWorkload('Deployment', build({ generation: 1, ...metadata }, { spec: { template, ...spec }, status }));
  const before = deploymentOf({});

  it.each([
    ['of its version', deploymentOf({ resourceVersion: '2' })],
    ['of its labels', deploymentOf({ labels: { team: 'shop' } })],
    ['of its conditions', deploymentOf({}, {}, { conditions: [{ type: 'Available', status: 'True' }] })],
  ])('%s is none', (_, after) => {
    expect(isSameWorkload(before, after)).toBe(true);
  });

  it.each([
    ['its uid', deploymentOf({ uid: 'other' })],
    ['its deletion', deploymentOf({ deletionTimestamp: '2026-01-01T00:00:00Z' })],
    ['its choice', deploymentOf({ annotations: { 'keyferry.io/rollout': 'false' } })],
    ['the ownership of a marker', deploymentOf({ managedFields: ownTemplate(owned) })],
    ['its progress', deploymentOf({}, { paused: true })],
    ['its template', deploymentOf({}, { template: { spec: { containers: [] } } })],
  ])('of %s is one', (_, after) => {
    expect(isSameWorkload(before, after)).toBe(false);
  });
});
