import { describe, expect, it } from 'vitest';
import { annotations, labels } from '../../api/v1/names.ts';
import type { KubeError } from '../../kube/errors.ts';
import type { KubeObject } from '../../kube/object.ts';
import { createStore } from '../../kube/store.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { buildMetadata, buildReference } from '../testing/builders.ts';
import { createRecordingClient, kubeError, type RecordedCall } from '../testing/recording-client.ts';
import { type Reference, referenceIndexes } from './reference.ts';
import { withdrawOrphans, type WithdrawScope } from './withdraw.ts';

const request = { namespace: 'shop', name: 'shared' };
const signal = new AbortController().signal;
const marks = (...uids: readonly string[]): Record<string, string> =>
  Object.fromEntries(uids.map((uid) => [`${annotations.merged}${uid}`, `name-of-${uid}`]));

function secret(uids: readonly string[], resourceVersion = '7'): KubeObject {
  const labelled = uids.length === 0 ? {} : { [labels.target]: 'merged' };
  return {
    metadata: buildMetadata({
      name: 'shared',
      uid: 'secret-uid',
      resourceVersion,
      labels: labelled,
      annotations: marks(...uids),
    }),
  };
}

const merging = (uid: string, metadata: object = {}): Reference =>
  buildReference({
    metadata: { name: `name-of-${uid}`, uid, ...metadata },
    spec: { target: { name: 'shared', ownership: 'Merge' } },
  });

interface Situation {
  readonly cached?: readonly Reference[];
  readonly merged: readonly string[];
  /** Our marks as somebody changed them. */
  readonly names?: Readonly<Record<string, string>>;
  readonly answer: (call: RecordedCall) => object | KubeError;
}

async function look({ cached = [], merged, names, answer }: Situation): Promise<readonly RecordedCall[]> {
  const references = createStore<Reference>({ logger: silentLogger, indexes: referenceIndexes });
  const targets = createStore<KubeObject>({ logger: silentLogger });
  for (const reference of cached) references.writer().put(reference);
  const { metadata } = secret(merged);
  targets.writer().put({ metadata: { ...metadata, annotations: { ...metadata.annotations, ...names } } });
  const client = createRecordingClient(answer);
  const scope: WithdrawScope = { client, references, targets };
  await withdrawOrphans(scope, request, signal);
  return client.calls;
}

const gone = (left: KubeObject) => (call: RecordedCall) => (call.verb === 'get' ? kubeError(404, 'NotFound') : left);

describe('a look at a merged Secret', () => {
  it('asks nobody while all who merged into it are there', async () => {
    const calls = await look({ cached: [merging('a')], merged: ['a'], answer: () => kubeError(500, '') });
    expect(calls).toEqual([]);
  });

  it('takes back the keys of a reference that is gone, by an apply of nothing that is pinned and not forced', async () => {
    const calls = await look({ merged: ['a'], answer: gone(secret([])) });

    expect(calls.map(({ verb, object }) => `${verb} ${object}`)).toEqual([
      'get secretreferences/shop/name-of-a',
      'apply secrets/shop/shared',
    ]);
    expect(calls[1]).toMatchObject({
      fieldManager: 'keyferry-a',
      force: false,
      body: { metadata: { name: 'shared', namespace: 'shop', uid: 'secret-uid', resourceVersion: '7' } },
    });
    expect(calls[1]?.body).not.toHaveProperty('data');
  });

  it.each(['', '..', '../../secrets/other', 'a b'])('asks for no reference of the name %j', async (name) => {
    const names = { [`${annotations.merged}a`]: name };

    const calls = await look({ merged: ['a'], names, answer: gone(secret([])) });

    expect(calls.map(({ verb, object }) => `${verb} ${object}`)).toEqual(['apply secrets/shop/shared']);
  });

  it('takes back the keys of a reference whose name another one has now', async () => {
    const other = { metadata: buildMetadata({ name: 'name-of-a', uid: 'b' }), spec: merging('b').spec };
    const calls = await look({ merged: ['a'], answer: (call) => (call.verb === 'get' ? other : secret([])) });
    expect(calls.at(-1)).toMatchObject({ verb: 'apply', fieldManager: 'keyferry-a' });
  });

  it('takes nothing back where the cache lags and the reference is there', async () => {
    const there = { ...merging('a') };
    const calls = await look({ merged: ['a'], answer: () => there });
    expect(calls.map(({ verb }) => verb)).toEqual(['get']);
  });

  it('takes nothing back where the API server does not answer', async () => {
    await expect(look({ merged: ['a'], answer: () => kubeError(503, '') })).rejects.toThrow('503');
  });

  it('keeps the keys of a reference that wants the Secret whole now', async () => {
    const whole = buildReference({ metadata: { name: 'name-of-a', uid: 'a' }, spec: { target: { name: 'shared' } } });
    const calls = await look({ cached: [whole], merged: ['a'], answer: () => kubeError(500, '') });
    expect(calls).toEqual([]);
  });

  it('keeps the marks of others, and does not stop at a reference that is there', async () => {
    const calls = await look({ cached: [merging('a')], merged: ['a', 'b'], answer: gone(secret(['a'])) });
    expect(calls.map(({ verb, fieldManager }) => [verb, fieldManager])).toEqual([
      ['get', undefined],
      ['apply', 'keyferry-b'],
    ]);
  });

  it('takes off marks that somebody else wrote as well, and with the last one the label', async () => {
    const calls = await look({ merged: ['a'], answer: gone(secret(['a'], '8')) });
    expect(calls.at(-1)).toMatchObject({
      verb: 'patch',
      body: {
        metadata: {
          uid: 'secret-uid',
          resourceVersion: '8',
          annotations: { [`${annotations.merged}a`]: null },
          labels: { [labels.target]: null },
        },
      },
    });
  });
});
