import { describe, expect, it } from 'vitest';
import { annotations, labels } from '../../api/v1/names.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { base64, buildOwnedSecret, buildReference } from '../testing/builders.ts';
import { type DesiredTarget, desiredTarget } from './desired-target.ts';
import { planTarget } from './target-plan.ts';
import { contentNames, type ExistingSecret, mergedAnnotation } from './target-secret.ts';

function desired(values: Readonly<Record<string, string>> = { password: 'one' }, uid = 'uid-1'): DesiredTarget {
  const data = Object.fromEntries(Object.keys(values).map((key) => [key, { secret: 'db.password' }]));
  const reference = buildReference({ metadata: { uid }, spec: { data, target: { ownership: 'Merge' } } });
  const texts = Object.entries(values).map(([key, value]) => [key, SecretValue.fromString(value)] as const);
  return desiredTarget(reference, new Map(texts), [], { inputs: '1:aaaa', content: '1:aaaa' });
}

const { content, previous } = contentNames('uid-1');
const consent = { [annotations.merge]: 'true' };
const keys = (...names: readonly string[]): object => Object.fromEntries(names.map((name) => [`f:${name}`, {}]));

interface Shared {
  readonly data?: Readonly<Record<string, string>>;
  /** The keys that each field manager has. */
  readonly managers?: Readonly<Record<string, readonly string[]>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

function shared(parts: Shared = {}): ExistingSecret {
  const { data = { theirs: 'x' }, managers = { helm: ['theirs'] } } = parts;
  return buildOwnedSecret({
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
    metadata: {
      labels: parts.labels ?? {},
      annotations: parts.annotations ?? consent,
      ownerReferences: [],
      managedFields: Object.entries(managers).map(([manager, names]) => ({
        manager,
        fieldsV1: { 'f:data': keys(...names) },
      })),
    },
  });
}

/** As we leave it. */
const merged = (parts: Shared = {}): ExistingSecret =>
  shared({
    data: { theirs: 'x', password: 'one' },
    managers: { helm: ['theirs'], 'keyferry-uid-1': ['password'] },
    annotations: { ...consent, [mergedAnnotation('uid-1')]: 'api-db', [content]: '1:aaaa', [previous]: '' },
    labels: { [labels.target]: 'merged' },
    ...parts,
  });

function written(plan: ReturnType<typeof planTarget>) {
  if (plan.action !== 'write') throw new Error(`expected a write, not ${JSON.stringify(plan)}`);
  return plan;
}

describe('a merged target', () => {
  it('needs consent on the Secret itself', () => {
    expect(planTarget(desired(), shared({ annotations: {} }))).toMatchObject({
      action: 'conflict',
      message: expect.stringContaining('keyferry.io/merge=true'),
    });
  });

  it('gets only our keys, and nothing of others is removed', () => {
    const plan = written(planTarget(desired(), shared()));
    expect(plan.apply['data']).toEqual({ password: base64('one') });
    expect(plan.remove).toBeUndefined();
    expect(plan.apply).not.toHaveProperty('type');
    expect(plan.apply.metadata).not.toHaveProperty('ownerReferences');
    expect(plan.apply.metadata).toMatchObject({ uid: 'secret-uid', resourceVersion: '7' });
  });

  it('is left alone when everything is as it should be', () => {
    expect(planTarget(desired(), merged())).toEqual({ action: 'none' });
  });

  it('is written when a key of ours left the spec: what is not applied again goes', () => {
    const both = { data: { password: 'one', old: 'one' }, managers: { 'keyferry-uid-1': ['password', 'old'] } };
    const plan = written(planTarget(desired(), merged(both)));
    expect(plan.bytesChange).toBe(true);
    expect(plan.apply['data']).toEqual({ password: base64('one') });
  });

  it('is refused where another reference owns the Secret whole', () => {
    const plan = planTarget(desired({ password: 'one' }, 'uid-2'), buildOwnedSecret());
    expect(plan).toMatchObject({ action: 'conflict', message: expect.stringContaining('belongs whole') });
  });

  it.each(['one', 'two'])('never takes a key of somebody else, not even one with equal bytes (%s)', (value) => {
    const plan = planTarget(
      desired(),
      shared({ data: { password: value }, managers: { 'kubectl-edit': ['password'] } }),
    );
    expect(plan).toMatchObject({
      action: 'conflict',
      message: expect.stringContaining('key password from kubectl-edit'),
    });
  });

  it('names the reference whose key it would take', () => {
    const secret = merged();
    const plan = planTarget(desired({ password: 'one' }, 'uid-2'), secret);
    expect(plan).toMatchObject({ message: expect.stringContaining('key password from SecretReference api-db') });
  });

  it('tells no key that stands inside a value', () => {
    const hidden = { ...desired(), spokenKeys: new Set<string>() };
    const plan = planTarget(hidden, shared({ data: { password: 'x' }, managers: { helm: ['password'] } }));
    expect(plan).toMatchObject({ message: expect.stringContaining('a key from helm') });
    expect(JSON.stringify(plan)).not.toContain('password');
  });
});

describe('a Secret that this reference owned whole and now shares', () => {
  const owned = (more: Readonly<Record<string, string>>): ExistingSecret => {
    const base = buildOwnedSecret();
    return buildOwnedSecret({
      metadata: {
        annotations: { ...base.metadata.annotations, ...more },
        managedFields: [
          { manager: 'kubectl-annotate', operation: 'Update', fieldsV1: {} },
          { manager: 'keyferry-uid-1', operation: 'Update', fieldsV1: { 'f:data': keys('password') } },
        ],
      },
    });
  };

  it('needs the same consent', () => {
    expect(planTarget(desired(), owned({}))).toMatchObject({
      action: 'conflict',
      message: expect.stringContaining('keyferry.io/merge=true'),
    });
  });

  it('is let go first, with what was written noted as applied, so that it can be taken back', () => {
    const plan = written(planTarget(desired(), owned(consent)));
    expect(plan.remove?.metadata).toMatchObject({
      uid: 'secret-uid',
      resourceVersion: '7',
      labels: { [labels.target]: null },
      annotations: { [annotations.referenceUid]: null, [annotations.content]: null },
      ownerReferences: [],
      managedFields: [
        { manager: 'kubectl-annotate' },
        { manager: 'keyferry-uid-1', operation: 'Apply', fieldsV1: { 'f:data': keys('password') } },
      ],
    });
    expect(plan.remove).not.toHaveProperty('data');
  });
});
