import { describe, expect, it } from 'vitest';
import type { ReferenceView } from '../status/reference.ts';
import { condition, held, referenceView } from '../testing/reference-view.ts';
import { describeMovers, progressOf, type Rotation } from './progress.ts';

const rotation: Rotation = {
  isSecret: (name) => name.toLowerCase() === 'db.password',
  version: '3',
  latestStage: 'latest',
  isOurs: () => true,
};

function consumer(state: string, content?: string, more: object = {}) {
  return {
    kind: 'Deployment',
    name: 'api',
    uid: 'd',
    uses: ['env'],
    state,
    ...(content !== undefined && { content }),
    ...more,
  };
}

/** A reference whose Secret has the content `new`. */
function holding(version: string, consumers: readonly object[] = [], more: object = {}): ReferenceView {
  const target = { name: 'api-db', uid: 't', resourceVersion: '1', ownership: 'Owner', inputs: 'i', content: 'new' };
  const conditions = [condition('Ready', 'True', 'Synced')];
  return referenceView({ status: { conditions, versions: [held(version)], target, consumers, ...more } });
}

function states(...references: readonly ReferenceView[]): readonly string[] {
  return progressOf(references, rotation).movers.map(({ state }) => state);
}

describe('a rotation', () => {
  it('is through where every consumer runs what the Secret holds', () => {
    const progress = progressOf([holding('3', [consumer('Complete', 'new')])], rotation);
    expect(progress).toMatchObject({ settled: true, through: true });
  });

  it('is on its way while the Secret holds the version before', () => {
    expect(progressOf([holding('2', [consumer('Complete', 'new')])], rotation)).toMatchObject({
      settled: false,
      through: false,
    });
  });

  it.each([
    ['Complete of what it ran before', consumer('Complete', 'old'), 'moving'],
    ['Progressing', consumer('Progressing', 'new'), 'moving'],
    ['Paused', consumer('Paused', 'new'), 'moving'],
    ['Failed', consumer('Failed', 'new'), 'failed'],
    ['left alone with what it ran before', consumer('LeftAlone', 'old'), 'fixed'],
    ['left alone, and nobody knows what it runs', consumer('LeftAlone'), 'fixed'],
    ['left alone, but started since', consumer('LeftAlone', 'new'), 'moved'],
  ])('has a consumer that is %s as %o: %s', (_what, one, state) => {
    expect(states(holding('3', [one]))).toEqual(['moved', state]);
  });

  it.each([
    ['names the version before', { version: '2' }],
    ['names the stage previous', { stage: 'previous' }],
  ])('leaves out a reference that %s', (_what, selector) => {
    const spec = { data: { password: { secret: 'DB.password', ...selector } } };
    expect(states(referenceView({ spec }))).toEqual(['pinned']);
  });

  it('has through what names the new version itself', () => {
    const spec = { data: { password: { secret: 'db.password', version: '3' } } };
    expect(states(referenceView({ spec }))).toEqual(['moved']);
  });

  describe('of what a reference held and does not ask for any more', () => {
    const spec = { data: { a: { secret: 'db.other' } } };
    const failing = { conditions: [condition('Ready', 'False', 'SecretNotFound', 'there is no db.other')] };

    it('is neither waited for nor through: its Secret holds the old value', () => {
      const reference = referenceView({ spec, status: { ...failing, versions: [held('2')] } });
      const progress = progressOf([reference], rotation);
      expect(progress).toMatchObject({ settled: true, through: false });
      expect(describeMovers(progress.movers)).toBe(
        'not asked for    shop/api-db: not asked for any more; its Secret still holds version 2, as its present spec does not work (SecretNotFound: there is no db.other)\n',
      );
    });

    it('waits until the operator has looked at the present spec', () => {
      expect(states(referenceView({ spec, generation: 2, status: { versions: [held('2')] } }))).toEqual(['moving']);
    });

    it('waits where it may yet be found', () => {
      const finding = { data: undefined, dataFrom: [{ find: { prefix: 'db.' } }] };
      const reference = referenceView({ spec: finding, status: { ...failing, versions: [held('2')] } });
      expect(states(reference)).toEqual(['moving']);
    });
  });

  it('has found secrets as far as they are held', () => {
    const spec = { data: undefined, dataFrom: [{ find: { prefix: 'db.' } }] };
    const conditions = [condition('Ready', 'True', 'Synced')];
    expect(states(referenceView({ spec, status: { conditions, versions: [held('2')] } }))).toEqual(['moving']);
    expect(states(referenceView({ spec, status: { conditions, versions: [held('3')] } }))).toEqual(['moved']);
  });

  it('waits for no suspended reference, and for none that went back', () => {
    const set = { content: 'c', inputs: 'i', summary: 's', versions: [] };
    const back = { bad: set, good: set, since: '2026-01-01T00:00:00Z', why: 'pods failed' };
    expect(states(referenceView({ spec: { suspend: true } }))).toEqual(['fixed']);
    expect(states(holding('2', [], { held: back }))).toEqual(['failed']);
  });

  it('has nothing to do with other secrets, nor with secrets of that name in other managers', () => {
    const other = referenceView({ spec: { data: { a: { secret: 'db.other' } } } });
    expect(states(other)).toEqual([]);
    expect(progressOf([holding('2')], { ...rotation, isOurs: () => false }).movers).toEqual([]);
  });

  it('of what nobody uses is through', () => {
    expect(progressOf([], rotation)).toEqual({ movers: [], settled: true, through: true });
  });

  it('is told with those that need somebody last', () => {
    const { movers } = progressOf([holding('3', [consumer('Failed', 'old', { message: 'no image' })])], rotation);
    expect(describeMovers(movers).trimEnd().split('\n')).toEqual([
      'moved            shop/api-db: its Secret holds version 3',
      'failed           shop/api-db Deployment/api: Failed: no image',
    ]);
  });
});
