import { describe, expect, it } from 'vitest';
import type { Act, ObjectVersion } from '../history.ts';
import { historyOf, secretWith, versionOf } from '../testing/histories.ts';
import { onceForEachChange, secretBeforeMarker } from './rollout.ts';

function secret(revision: number, content: string): ObjectVersion {
  return secretWith({}, { revision, annotations: { 'keyferry.io/content': content } });
}

function deployment(revision: number, annotations: Readonly<Record<string, string>>, image = 'one'): ObjectVersion {
  const path = Object.fromEntries(Object.keys(annotations).map((name) => [`f:${name}`, {}]));
  const fieldsV1 = { 'f:spec': { 'f:template': { 'f:metadata': { 'f:annotations': path } } } };
  return versionOf({
    kind: 'Deployment',
    name: 'api',
    uid: 'api-1',
    revision,
    object: {
      metadata: { managedFields: [{ manager: 'keyferry-rollout', operation: 'Apply', fieldsV1 }] },
      spec: { template: { metadata: { annotations }, spec: { image } } },
    },
  });
}

const marked = (content: string) => ({ 'keyferry.io/content.app': content });
const byPerson = (revision: number): Act => ({ kind: 'edit-workload', name: 'api', at: revision, revision });

function laws(objects: readonly ObjectVersion[], acts: readonly Act[] = []): readonly string[] {
  const history = historyOf({ objects: objects.toSorted((a, b) => a.revision - b.revision), acts });
  return [...onceForEachChange(history), ...secretBeforeMarker(history)].map(({ law }) => law);
}

describe('S5', () => {
  it('is content with one rollout for each change, and with one for two changes', () => {
    const secrets = [secret(1, 'c1'), secret(3, 'c2'), secret(6, 'c3')];
    expect(laws([...secrets, deployment(2, {}), deployment(4, marked('c2')), deployment(7, marked('c3'))])).toEqual([]);
    expect(laws([...secrets, deployment(2, {}), deployment(7, marked('c3'))])).toEqual([]);
  });

  it('knows the other form of a marker, for content that others had set', () => {
    const undone = [secret(1, 'c1'), deployment(2, {}), deployment(3, marked('c2')), secret(4, 'c2')];
    expect(laws([...undone, deployment(5, marked('c2+'))], [byPerson(3)])).toEqual(['S6']);
    const again = [secret(1, 'c1'), deployment(2, {}), secret(4, 'c2'), deployment(5, marked('c2+'))];
    expect(laws(again)).toEqual([]);
  });

  it('sees a rollout at the first content, without a change, and for a change that was before the workload', () => {
    expect(laws([deployment(1, {}), secret(2, 'c1'), deployment(3, marked('c1'))])).toEqual(['S5']);
    const changed = [secret(1, 'c1'), secret(2, 'c2'), deployment(3, {})];
    expect(laws([...changed, deployment(4, marked('c2'))])).toEqual(['S5']);
  });

  it('sees two rollouts for one change, and any other change of the template', () => {
    const once = [secret(1, 'c1'), deployment(2, {}), secret(3, 'c2'), deployment(4, marked('c2'))];
    expect(laws([...once, deployment(5, {}), deployment(6, marked('c2'))])).toContain('S5');
    expect(laws([...once, deployment(5, { ...marked('c2'), restartedAt: 'now' })])).toEqual(['S5']);
    expect(laws([...once, deployment(5, marked('c2'), 'two')])).toEqual(['S5']);
  });

  it('leaves to people what they do, and does not want it answered', () => {
    const once = [secret(1, 'c1'), deployment(2, {}), secret(3, 'c2'), deployment(4, marked('c2'))];
    expect(laws([...once, deployment(5, {}, 'two')], [byPerson(5)])).toEqual([]);
    expect(laws([...once, deployment(5, {}, 'two'), deployment(6, marked('c2'), 'two')], [byPerson(5)])).toEqual([
      'S5',
    ]);
  });
});

describe('S6', () => {
  it('sees a marker for what the Secret holds only later, or never', () => {
    expect(laws([secret(1, 'c1'), deployment(2, {}), deployment(3, marked('c2')), secret(4, 'c2')])).toContain('S6');
    expect(laws([secret(1, 'c1'), deployment(2, {}), deployment(3, marked('2026-11-25T10:00:00Z'))])).toContain('S6');
  });
});
