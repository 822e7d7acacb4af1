import { describe, expect, it } from 'vitest';
import type { TargetStatus } from '../../api/v1/secret-reference.ts';
import { createStore } from '../../kube/store.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { buildReference } from '../testing/builders.ts';
import { type Reference, referenceIndexes } from './reference.ts';
import { findRival } from './rival.ts';

interface Parts {
  readonly created?: string;
  readonly ownership?: string;
  readonly target?: string;
  readonly namespace?: string;
  readonly deleted?: true;
  readonly holds?: true;
}

const held: TargetStatus = { name: 'shared', uid: 's', resourceVersion: '1', ownership: 'Owner', inputs: '1:a' };

function reference(name: string, parts: Parts = {}): Reference {
  const { created = '10', ownership = 'Owner', target = 'shared', namespace = 'shop' } = parts;
  return buildReference({
    metadata: {
      name,
      namespace,
      uid: `uid-${name}`,
      creationTimestamp: `2026-01-01T00:00:${created}Z`,
      ...(parts.deleted ? { deletionTimestamp: '2026-01-02T00:00:00Z' } : {}),
    },
    spec: { target: { name: target, ownership } },
    status: parts.holds ? { target: held } : {},
  });
}

function rivalOf(of: Reference, ...others: readonly Reference[]): string | undefined {
  const store = createStore<Reference>({ logger: silentLogger, indexes: referenceIndexes });
  for (const object of [of, ...others]) store.writer().put(object);
  return findRival(of, store)?.metadata.name;
}

describe('of two references to one target', () => {
  it('the older is the rival of the younger, not the other way round', () => {
    const older = reference('b', { created: '10' });
    const younger = reference('a', { created: '11' });
    expect(rivalOf(younger, older)).toBe('b');
    expect(rivalOf(older, younger)).toBeUndefined();
  });

  it('of the same second the one that has the target already keeps it', () => {
    const first = reference('b', { holds: true });
    const second = reference('a');
    expect(rivalOf(first, second)).toBeUndefined();
    expect(rivalOf(second, first)).toBe('b');
  });

  it('of the same second and with nothing yet, exactly one gives way', () => {
    const [a, b] = [reference('a'), reference('b')];
    expect([rivalOf(a, b), rivalOf(b, a)]).toEqual([undefined, 'a']);
  });

  it.each([
    ['one that is being deleted', { deleted: true }],
    ['one with another target', { target: 'other' }],
    ['one in another namespace', { namespace: 'cart' }],
  ] satisfies readonly (readonly [string, Parts])[])('%s is no rival', (_what, parts) => {
    expect(rivalOf(reference('a', { created: '11' }), reference('b', parts))).toBeUndefined();
  });

  it('both go on where both merge, and the younger gives way where only one does', () => {
    const older = reference('b', { ownership: 'Merge' });
    expect(rivalOf(reference('a', { created: '11', ownership: 'Merge' }), older)).toBeUndefined();
    expect(rivalOf(reference('a', { created: '11' }), older)).toBe('b');
  });
});
