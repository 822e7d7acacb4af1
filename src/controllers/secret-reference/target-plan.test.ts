import { describe, expect, it } from 'vitest';
import { annotations, labels } from '../../api/v1/names.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { base64, buildOwnedSecret, buildReference } from '../testing/builders.ts';
import { type DesiredTarget, desiredTarget } from './desired-target.ts';
import { newTarget, planTarget } from './target-plan.ts';

const held = (version: string) => ({
  manager: 'ClusterSecretManager/default',
  secret: 'db.password',
  requested: 'latest',
  version,
  identity: `${version}@abc`,
  keys: ['password'],
  since: 'then',
});

function desired(
  value: string,
  options: { content?: string; version?: string; spec?: object; uid?: string } = {},
): DesiredTarget {
  const reference = buildReference({ spec: options.spec ?? {}, metadata: { uid: options.uid ?? 'uid-1' } });
  const values = new Map([['password', SecretValue.fromString(value)]]);
  const content = options.content ?? '1:aaaa';
  return desiredTarget(reference, values, [held(options.version ?? 'v1')], { inputs: content, content });
}

function written(plan: ReturnType<typeof planTarget>) {
  if (plan.action !== 'write') throw new Error(`expected a write, not ${plan.action}`);
  return plan;
}

describe('a new target', () => {
  it('carries its owner, its content and an empty previous content', () => {
    const body = newTarget(desired('one'));
    expect(body).toMatchObject({
      type: 'Opaque',
      data: { password: base64('one') },
      metadata: {
        name: 'api-db',
        namespace: 'shop',
        labels: { [labels.target]: 'owned' },
        annotations: {
          [annotations.content]: '1:aaaa',
          [annotations.previous]: '',
          [annotations.referenceUid]: 'uid-1',
        },
        ownerReferences: [{ uid: 'uid-1', blockOwnerDeletion: false }],
      },
    });
  });

  it('that takes the place of one which is gone names what that was said to hold', () => {
    const body = newTarget({ ...desired('two', { content: '1:bbbb' }), claimed: '1:aaaa' });
    expect(body.metadata['annotations']).toMatchObject({
      [annotations.content]: '1:bbbb',
      [annotations.previous]: '1:aaaa',
    });
  });

  it('has no owner reference when it is to stay behind', () => {
    const body = newTarget(desired('one', { spec: { target: { ownership: 'Orphan' } } }));
    expect(body.metadata).not.toHaveProperty('ownerReferences');
  });
});

describe('an existing target of ours', () => {
  it('is left alone when everything is as it should be', () => {
    expect(planTarget(desired('one'), buildOwnedSecret())).toEqual({ action: 'none' });
  });

  it('gets new bytes with the uid and resourceVersion that were read, and keeps the content before', () => {
    const plan = written(planTarget(desired('two', { content: '1:bbbb', version: 'v2' }), buildOwnedSecret()));
    expect(plan.bytesChange).toBe(true);
    expect(plan.remove).toBeUndefined();
    expect(plan.apply.metadata).toMatchObject({
      uid: 'secret-uid',
      resourceVersion: '7',
      annotations: { [annotations.content]: '1:bbbb', [annotations.previous]: '1:aaaa' },
    });
  });

  it('keeps its content when a new version has equal bytes', () => {
    const plan = written(planTarget(desired('one', { content: '1:bbbb', version: 'v2' }), buildOwnedSecret()));
    expect(plan.bytesChange).toBe(false);
    expect(plan.apply.metadata['annotations']).toMatchObject({
      [annotations.content]: '1:aaaa',
      [annotations.versions]: 'db.password@v2',
    });
  });

  it('keeps its content when drift is repaired', () => {
    const drifted = buildOwnedSecret({ data: { password: base64('changed by hand') } });
    const plan = written(planTarget(desired('one'), drifted));
    expect(plan.apply.metadata['annotations']).toMatchObject({
      [annotations.content]: '1:aaaa',
      [annotations.previous]: '',
    });
  });

  it('keeps its content when it drifts after other inputs had given equal bytes', () => {
    const settled = { uid: 'secret-uid', content: '1:aaaa' };
    const drifted = buildOwnedSecret({ data: { password: base64('changed by hand') } });
    const plan = written(planTarget({ ...desired('one', { content: '1:bbbb' }), settled }, drifted));
    expect(plan.apply.metadata['annotations']).toMatchObject({
      [annotations.content]: '1:aaaa',
      [annotations.previous]: '',
    });
  });

  it.each([
    ['the Secret is another one', { uid: 'other', content: '1:aaaa' }],
    ['the Secret was written since and the status was not', { uid: 'secret-uid', content: '1:cccc' }],
  ])('changes its content with its bytes where %s', (_why, settled) => {
    const plan = written(planTarget({ ...desired('two', { content: '1:bbbb' }), settled }, buildOwnedSecret()));
    expect(plan.apply.metadata['annotations']).toMatchObject({
      [annotations.content]: '1:bbbb',
      [annotations.previous]: '1:aaaa',
    });
  });

  it('loses keys of others in the same patch that brings the new bytes', () => {
    const withForeign = buildOwnedSecret({ data: { password: base64('one'), extra: base64('x') } });
    const plan = written(planTarget(desired('two', { content: '1:bbbb' }), withForeign));
    expect(plan.remove).toMatchObject({
      metadata: { uid: 'secret-uid', resourceVersion: '7' },
      data: { password: base64('two'), extra: null },
    });
  });

  it('loses labels that the reference no longer asks for, and keeps those of others', () => {
    const base = buildOwnedSecret();
    const existing = buildOwnedSecret({
      metadata: {
        ...base.metadata,
        labels: { ...base.metadata.labels, ours: 'x', both: 'z', theirs: 'y' },
        managedFields: [
          {
            manager: 'keyferry-uid-1',
            fieldsV1: { 'f:metadata': { 'f:labels': { '.': {}, 'f:ours': {}, 'f:both': {} } } },
          },
          { manager: 'kubectl', fieldsV1: { 'f:metadata': { 'f:labels': { 'f:theirs': {}, 'f:both': {} } } } },
        ],
      },
    });
    const plan = written(planTarget(desired('one'), existing));
    expect(plan.remove?.metadata['labels']).toEqual({ ours: null, [labels.target]: 'owned' });
  });

  it('gets back the label that somebody took off or changed', () => {
    for (const value of [undefined, 'merged', '']) {
      const secret = buildOwnedSecret({ metadata: { labels: value === undefined ? {} : { [labels.target]: value } } });
      const plan = written(planTarget(desired('one'), secret));
      expect(plan.bytesChange).toBe(false);
      expect(plan.apply.metadata['labels']).toEqual({ [labels.target]: 'owned' });
    }
  });

  it('loses the marks of those who merged keys into it, with their keys', () => {
    const base = buildOwnedSecret();
    const shared = buildOwnedSecret({
      data: { password: base64('one'), theirs: base64('x') },
      metadata: { annotations: { ...base.metadata.annotations, [`${annotations.merged}uid-2`]: 'b' } },
    });
    const plan = written(planTarget(desired('one'), shared));
    expect(plan.remove).toMatchObject({
      metadata: { annotations: { [`${annotations.merged}uid-2`]: null } },
      data: { theirs: null },
    });
  });

  it('is let go when ownership becomes Orphan', () => {
    const plan = written(planTarget(desired('one', { spec: { target: { ownership: 'Orphan' } } }), buildOwnedSecret()));
    expect(plan.remove?.metadata['ownerReferences']).toEqual([]);
  });

  it('is a conflict when its type can not become the wanted one', () => {
    const plan = planTarget(desired('one'), buildOwnedSecret({ type: 'kubernetes.io/tls' }));
    expect(plan).toMatchObject({ action: 'conflict', message: expect.stringContaining('has type kubernetes.io/tls') });
  });

  it('is a conflict when somebody made it immutable and the bytes differ', () => {
    const plan = planTarget(desired('two'), buildOwnedSecret({ immutable: true }));
    expect(plan).toMatchObject({ action: 'conflict', message: expect.stringContaining('immutable') });
  });
});

describe('a Secret that somebody else has', () => {
  const foreign = () =>
    buildOwnedSecret({
      metadata: { labels: {}, annotations: {}, ownerReferences: [], managedFields: [{ manager: 'helm' }] },
    });

  it('is not taken, and the message says who has it and how to let us', () => {
    const plan = planTarget(desired('one'), foreign());
    expect(plan).toMatchObject({
      action: 'conflict',
      message: expect.stringMatching(/helm.*keyferry\.io\/adopt=true/u),
    });
  });

  it('is taken once its annotation allows it', () => {
    const secret = foreign();
    secret.metadata.annotations = { [annotations.adopt]: 'true' };
    expect(planTarget(desired('one'), secret).action).toBe('write');
  });

  it('is not taken from its controller, which it goes with', () => {
    const secret = foreign();
    secret.metadata.annotations = { [annotations.adopt]: 'true' };
    secret.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Owner', name: 'x', uid: 'x', controller: true }];
    expect(planTarget(desired('one'), secret)).toMatchObject({
      action: 'conflict',
      message: expect.stringContaining('its controller, Owner x'),
    });
    expect(planTarget(desired('one', { spec: { target: { ownership: 'Orphan' } } }), secret).action).toBe('write');
  });

  it('is not taken from an earlier reference of the same name: ownership goes by uid', () => {
    const plan = planTarget(desired('one', { uid: 'uid-2' }), buildOwnedSecret());
    expect(plan).toMatchObject({
      action: 'conflict',
      message: expect.stringContaining('an earlier SecretReference shop/api-db, which is gone (uid uid-1)'),
    });
  });
});
