import { describe, expect, it } from 'vitest';
import type { Guard } from '../../api/v1/rollout.ts';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import type { SecretContent } from '../rollout/ledger.ts';
import type { Workload } from '../rollout/workload.ts';
import { buildConsumer, buildReference, buildVersionSet, buildWorkload, buildWorkloads } from '../testing/builders.ts';
import { definite } from './failure.ts';
import { conditionOf, consumedTarget, ledgerBefore, type RolloutScope, rolloutFindings } from './rollout-findings.ts';
import type { Findings } from './status.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const good = buildVersionSet();
const guard: Guard = { good, content: '1:bbbb' };
const held = { good, bad: buildVersionSet({ content: '1:bbbb' }), since: '2026-01-01T00:00:00Z', why: 'it failed' };
const none = { guard: undefined, held: undefined };
const target = {
  name: 'api-db',
  uid: 's',
  resourceVersion: '7',
  ownership: 'Owner',
  inputs: '1:aaaa',
  content: '1:aaaa',
} as const;
const before: SecretContent = { content: '1:aaaa', previous: '', agreed: true };
const fresh = buildWorkload({ metadata: { name: 'new', uid: 'new' } });

function scopeWith(...workloads: readonly Workload[]): RolloutScope {
  return {
    workloads: buildWorkloads(...workloads),
    waiting: () => undefined,
    observe: () => undefined,
    podsOf: () => Promise.resolve([]),
    unstick: undefined,
  };
}

function referenceWith(status: SecretReferenceStatus) {
  return buildReference({ status: { target, ...status } });
}

function synced(
  content: string,
  secret: Partial<SecretContent> = {},
): Extract<Findings['outcome'], { state: 'synced' }> {
  return {
    state: 'synced',
    versions: [],
    target: { ...target, content },
    secret: { content, previous: '1:aaaa', agreed: false, ...secret },
    changed: true,
  };
}

describe('the target of a reference', () => {
  it('has a marker of its own where it is shared', () => {
    expect(consumedTarget(buildReference()).marker).toBe('keyferry.io/content.api-db');
    const shared = buildReference({ spec: { target: { ownership: 'Merge', name: 'shared' } } });
    expect(consumedTarget(shared)).toMatchObject({
      name: 'shared',
      marker: expect.stringMatching(/\.shared\.[0-9a-f]{8}$/u),
    });
  });
});

describe('the ledger before a change', () => {
  it('is none where the status says already what everybody runs', () => {
    const reference = referenceWith({ consumers: [buildConsumer()] });
    expect(ledgerBefore(scopeWith(buildWorkload()), reference, before, undefined)).toBeUndefined();
  });

  it('has whoever is not in the status yet', () => {
    const ledger = ledgerBefore(
      scopeWith(buildWorkload(), fresh),
      referenceWith({ consumers: [buildConsumer()] }),
      before,
      undefined,
    );
    expect(ledger?.consumers).toMatchObject([
      { name: 'api', content: '1:aaaa' },
      { name: 'new', content: '1:aaaa' },
    ]);
  });

  it('says of a Secret of others that nobody knows what is run', () => {
    const secret = { content: undefined, previous: '', agreed: false };
    const ledger = ledgerBefore(scopeWith(buildWorkload()), buildReference(), secret, undefined);
    expect(ledger?.consumers).toMatchObject([{ state: 'Waiting', content: 'unknown' }]);
  });

  it('has the guard, and how each pod template looks before the change', () => {
    const reference = referenceWith({ consumers: [buildConsumer()] });
    expect(ledgerBefore(scopeWith(buildWorkload()), reference, before, guard)).toMatchObject({
      guard,
      consumers: [{ template: expect.stringMatching(/^[0-9a-f]{8}$/u) }],
    });
  });

  it('keeps the template from before a rollout that is under way, and looks anew after one', () => {
    const next = { ...guard, content: '1:cccc' };
    const templateAfter = (content: string): string | undefined => {
      const reference = referenceWith({ consumers: [buildConsumer({ content, template: 'tttttttt' })], guard });
      return ledgerBefore(scopeWith(buildWorkload()), reference, before, next)?.consumers[0]?.template;
    };
    expect(templateAfter('1:0000')).toBe('tttttttt');
    expect(templateAfter('1:aaaa')).not.toBe('tttttttt');
  });

  it('refuses a way back where something was not complete before', () => {
    const failing = buildWorkload({ progress: { state: 'Failed' } });
    const ledger = ledgerBefore(scopeWith(failing), referenceWith({ consumers: [buildConsumer()] }), before, guard);
    expect(ledger?.guard?.refusal).toBe('Deployment api was not complete before the versions changed');
  });
});

describe('after a look at the Secret', () => {
  it('a consumer of what it held before waits, and the guard stays', () => {
    const reference = referenceWith({ consumers: [buildConsumer()], guard });
    const found = rolloutFindings(scopeWith(buildWorkload()), reference, synced('1:bbbb'), { ...none, guard }, now);
    expect(found).toMatchObject({ consumers: [{ state: 'Waiting', content: '1:aaaa' }], guard, held: undefined });
  });

  it('the guard is gone once everybody is through, or where it is about other content', () => {
    const through = referenceWith({ consumers: [buildConsumer({ content: '1:bbbb' })], guard });
    expect(
      rolloutFindings(scopeWith(buildWorkload()), through, synced('1:bbbb'), { ...none, guard }, now).guard,
    ).toBeUndefined();
    const waits = referenceWith({ consumers: [buildConsumer()], guard });
    expect(
      rolloutFindings(scopeWith(buildWorkload()), waits, synced('1:cccc'), { ...none, guard }, now).guard,
    ).toBeUndefined();
  });

  it('the guard is as it was written down before the change, with what came since', () => {
    const unhealthy = { ...guard, refusal: 'it was not complete before' };
    const reference = referenceWith({ consumers: [buildConsumer()], guard: unhealthy });
    const scope = scopeWith(buildWorkload());
    expect(rolloutFindings(scope, reference, synced('1:bbbb'), { ...none, guard }, now).guard).toEqual(unhealthy);
    const plain = referenceWith({ consumers: [buildConsumer()], guard });
    const gone = { ...guard, refusal: 'gone' };
    expect(rolloutFindings(scope, plain, synced('1:bbbb'), { ...none, guard: gone }, now).guard).toEqual(gone);
  });

  it('what is held ends with the choice of other versions', () => {
    const reference = referenceWith({ consumers: [buildConsumer()], held });
    const scope = scopeWith(buildWorkload());
    expect(rolloutFindings(scope, reference, synced('1:aaaa'), { ...none, held }, now).held).toEqual(held);
    expect(rolloutFindings(scope, reference, synced('1:cccc'), none, now).held).toBeUndefined();
  });
});

describe('where the reference can not be met', () => {
  const failure = definite('SecretNotFound', 'no');
  const failed = (released: boolean) => ({ state: 'failed', failure, released }) as const;

  it('the consumers that are known are told on, and nobody new is judged', () => {
    const reference = referenceWith({ consumers: [buildConsumer({ template: 'tttttttt' })], guard, held });
    const found = rolloutFindings(scopeWith(buildWorkload(), fresh), reference, failed(false), none, now);
    expect(found).toMatchObject({ consumers: [{ name: 'api', state: 'Complete', template: 'tttttttt' }], guard, held });
    expect(found.consumers).toHaveLength(1);
  });

  it('what they run is remembered while there is no target', () => {
    const reference = referenceWith({ consumers: [buildConsumer()] });
    const scope = scopeWith(buildWorkload());
    expect(rolloutFindings(scope, reference, failed(true), none, now).consumers).toEqual([buildConsumer()]);
    const released = buildReference({ status: { consumers: [buildConsumer()] } });
    expect(rolloutFindings(scope, released, failed(false), none, now).consumers).toEqual([buildConsumer()]);
    const again = rolloutFindings(scope, released, synced('1:bbbb', { previous: '' }), none, now);
    expect(again.consumers).toMatchObject([{ state: 'Waiting', content: '1:aaaa' }]);
  });

  it('the condition is about the target that there is, and none where it was given up', () => {
    const reference = referenceWith({});
    expect(conditionOf(reference, failed(false), [], undefined)).toMatchObject({ reason: 'NothingToRollOut' });
    expect(conditionOf(reference, failed(true), [], undefined)).toBeUndefined();
    expect(conditionOf(buildReference(), failed(false), [], undefined)).toBeUndefined();
  });
});
