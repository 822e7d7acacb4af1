import { describe, expect, it } from 'vitest';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import { buildConsumer, buildReference, buildWorkload } from '../testing/builders.ts';
import { dueTarget, dueTargets } from './due.ts';

const target = {
  name: 'api-db',
  uid: 's',
  resourceVersion: '7',
  ownership: 'Owner',
  inputs: '1:b',
  content: '1:bbbb',
} as const;
const status: SecretReferenceStatus = { target, consumers: [buildConsumer()] };
const marker = 'keyferry.io/content.api-db';
const marked = (value: string, ours: boolean) => buildWorkload({ markers: new Map([[marker, { value, ours }]]) });

describe('a workload', () => {
  it('is due for what the Secret holds, by the ledger', () => {
    expect(dueTarget(buildReference({ status }), buildWorkload(), 0)).toMatchObject({
      content: '1:bbbb',
      target: { marker, name: 'api-db' },
      consumer: { content: '1:aaaa' },
    });
  });

  it.each([
    ['an older marker of ours', marked('1:aaaa', true)],
    ['a marker of others that names the content', marked('1:bbbb', false)],
  ])('is due with %s', (_what, workload) => {
    expect(dueTarget(buildReference({ status }), workload, 0)).toBeDefined();
  });

  it.each([
    ['runs it already', { ...status, consumers: [buildConsumer({ content: '1:bbbb' })] }],
    ['is left alone', { ...status, consumers: [buildConsumer({ state: 'LeftAlone' })] }],
    ['is another one of the same name', { ...status, consumers: [buildConsumer({ uid: 'gone' })] }],
    ['stands in no ledger', { target }],
    ['consumes what nobody wrote yet', { consumers: [buildConsumer()] }],
  ])('is not due where it %s', (_what, now) => {
    expect(dueTarget(buildReference({ status: now }), buildWorkload(), 0)).toBeUndefined();
  });

  it.each([
    ['our marker says that it was rolled out', buildReference({ status }), marked('1:bbbb', true)],
    ['our marker says so in its other form', buildReference({ status }), marked('1:bbbb+', true)],
    ['the reference is suspended', buildReference({ status, spec: { suspend: true } }), buildWorkload()],
    [
      'the reference is suspended until a time',
      buildReference({ status, metadata: { annotations: { 'keyferry.io/suspend-until': '1970-01-01T00:00:01Z' } } }),
      buildWorkload(),
    ],
    [
      'the reference is being deleted',
      buildReference({ status, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      buildWorkload(),
    ],
  ])('is not due where %s', (_what, reference, workload) => {
    expect(dueTarget(reference, workload, 0)).toBeUndefined();
  });

  it('is due for several targets at once', () => {
    const other = buildReference({
      metadata: { name: 'other', uid: 'uid-2' },
      status: { ...status, target: { ...target, name: 'other' } },
    });
    const settled = buildReference({ metadata: { name: 'settled' }, status: { target } });
    const due = dueTargets([buildReference({ status }), settled, other], buildWorkload(), 0);
    expect(due.map((item) => item.target.marker)).toEqual([marker, 'keyferry.io/content.other']);
  });
});
