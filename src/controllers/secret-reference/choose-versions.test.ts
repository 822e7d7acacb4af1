import { describe, expect, it } from 'vitest';
import { annotations } from '../../api/v1/names.ts';
import type { Held, VersionSet } from '../../api/v1/rollout.ts';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import { buildConsumer, buildReference } from '../testing/builders.ts';
import { createFakeSource, directoryOf, failed, known, versionOf } from '../testing/fake-source.ts';
import { chooseVersions } from './choose-versions.ts';
import { heldVersions, summaryOf } from './held-versions.ts';
import { contentName } from './identity.ts';
import { createReader } from './reader.ts';
import type { Reference } from './reference.ts';
import { resolveReference } from './resolve.ts';

const asker = { namespace: 'shop', labels: {}, trustedLabels: new Set<string>() };
const spec = { rollout: { onFailure: 'Revert' } };

/** A source that says `latest`, and every version by its id. */
function setup(latest: string | undefined) {
  const source = createFakeSource();
  for (const version of ['v1', 'v2', 'v3']) {
    const selector = { kind: 'version', version } as const;
    source.set({ kind: 'value', secret: 'db.password', selector }, known(versionOf(`value of ${version}`, version)));
  }
  const topic = { kind: 'value', secret: 'db.password', selector: { kind: 'latest' } } as const;
  if (latest !== undefined) source.set(topic, known(versionOf(`value of ${latest}`, latest)));
  const reader = createReader({
    directory: directoryOf(source),
    asker,
    refreshInterval: undefined,
    familiarNames: () => [],
  });
  return { source, topic, reader, choose: (reference: Reference) => chooseVersions(reference, reader) };
}

/** The set that a reference has when `version` is the latest. */
function setOf(version: string): VersionSet {
  const reference = buildReference({ spec });
  const resolution = resolveReference(reference, setup(version).reader);
  if (resolution.state !== 'resolved') throw new Error(resolution.state);
  const content = contentName(reference.spec, resolution.keys);
  const versions = heldVersions(resolution.keys, [], 't').map(({ keys: _keys, since: _since, ...item }) => item);
  return { content, inputs: content, summary: summaryOf(heldVersions(resolution.keys, [], 't')), versions };
}

const [v1, v2, v3] = [setOf('v1'), setOf('v2'), setOf('v3')];

function holding({ content, inputs, versions, summary }: VersionSet): SecretReferenceStatus {
  const target = { name: 'api-db', uid: 's', resourceVersion: '7', ownership: 'Owner', inputs, content } as const;
  const all = versions.map((version) => ({ ...version, keys: ['password'], since: 't' }));
  return { target, versions: all, summary, consumers: [buildConsumer({ content })] };
}

const held: Held = { good: v1, bad: v2, since: '2026-01-01T00:00:00Z', why: 'it failed' };
const reverted = buildReference({ spec, status: { ...holding(v1), held } });

function valueOf({ resolution }: ReturnType<typeof chooseVersions>): string | undefined {
  return resolution.state === 'resolved' ? resolution.keys[0]?.value.asString() : resolution.state;
}

describe('without a guard', () => {
  it('the latest versions are taken, whatever is held', () => {
    const reference = buildReference({ status: { ...holding(v1), held } });
    const choice = setup('v2').choose(reference);
    expect(valueOf(choice)).toBe('value of v2');
    expect(choice).toMatchObject({ held: undefined, guard: undefined });
  });
});

describe('versions that failed', () => {
  it('are not taken again: those that were good are held', () => {
    const choice = setup('v2').choose(reverted);
    expect(valueOf(choice)).toBe('value of v1');
    expect(choice).toMatchObject({ held, guard: undefined });
  });

  it('give way to yet another version, with the good ones to go back to', () => {
    const choice = setup('v3').choose(reverted);
    expect(valueOf(choice)).toBe('value of v3');
    expect(choice).toMatchObject({ held: undefined, guard: { good: v1, content: v3.content } });
  });

  it('give way to the good ones, where these are the latest again', () => {
    expect(setup('v1').choose(reverted)).toMatchObject({ held: undefined });
  });

  it('are tried again when somebody asks', () => {
    const metadata = { annotations: { [annotations.retry]: 'now' } };
    const choice = setup('v2').choose(buildReference({ spec, metadata, status: reverted.status }));
    expect(valueOf(choice)).toBe('value of v2');
    expect(choice).toMatchObject({ held: undefined, guard: { good: v1, content: v2.content } });
  });

  it('are not tried again for what was asked before they failed', () => {
    const metadata = { annotations: { [annotations.retry]: 'then' } };
    const status = { ...holding(v1), held: { ...held, retry: 'then' } };
    expect(setup('v2').choose(buildReference({ spec, metadata, status })).held).toMatchObject({ retry: 'then' });
  });

  it.each([
    ['nobody knows the latest yet', undefined],
    ['the manager can not be asked', failed('Throttled')],
    ['the secret is gone', failed('SecretNotFound')],
  ])('are not taken where %s', (_what, reading) => {
    const { source, topic, choose } = setup(undefined);
    if (reading !== undefined) source.set(topic, reading);
    const choice = choose(reverted);
    expect(valueOf(choice)).toBe('value of v1');
    expect(choice.held).toEqual(held);
  });

  it('are taken where there is no way back any more', () => {
    const { source, choose } = setup('v2');
    source.set(
      { kind: 'value', secret: 'db.password', selector: { kind: 'version', version: 'v1' } },
      failed('VersionDisabled'),
    );
    const choice = choose(buildReference({ spec, status: { ...holding(v2), held } }));
    expect(valueOf(choice)).toBe('value of v2');
    expect(choice.held).toBeUndefined();
  });
});

describe('a new version', () => {
  const reference = buildReference({ spec, status: holding(v1) });
  const old = { kind: 'value', secret: 'db.password', selector: { kind: 'version', version: 'v1' } } as const;

  it('is guarded by those that it replaces', () => {
    const choice = setup('v2').choose(reference);
    expect(valueOf(choice)).toBe('value of v2');
    expect(choice.guard).toEqual({ good: v1, content: v2.content });
  });

  it.each([
    ['nobody has read those that it replaces', { state: 'pending' } as const],
    ['the manager can not be asked for those that it replaces', failed('ManagerUnavailable')],
  ])('waits while %s', (_what, reading) => {
    const { source, choose } = setup('v2');
    source.set(old, reading);
    expect(choose(reference).resolution).toEqual({ state: 'pending' });
  });

  it('is written without a way back where those that it replaces are gone, and the guard says so', () => {
    const { source, choose } = setup('v2');
    source.set(old, failed('VersionDisabled', 'it is disabled'));
    const choice = choose(reference);
    expect(valueOf(choice)).toBe('value of v2');
    expect(choice.guard?.refusal).toMatch(/^the versions before can't be read any more: .*it is disabled/u);
  });

  it('is written without a way back where the recipe was changed with it', () => {
    const changed = buildReference({
      spec: { ...spec, data: { renamed: { secret: 'db.password' } } },
      status: holding(v1),
    });
    expect(setup('v2').choose(changed).guard?.refusal).toBe('the reference itself was changed along with the versions');
  });

  it('has nothing to go back to at the first, or while consumers are not through', () => {
    expect(setup('v1').choose(buildReference({ spec })).guard).toBeUndefined();
    const consumers = [buildConsumer({ state: 'Progressing' })];
    expect(setup('v2').choose(buildReference({ spec, status: { ...holding(v1), consumers } })).guard).toBeUndefined();
  });

  it('during a guarded rollout is guarded by what that began from', () => {
    const status = { ...holding(v2), guard: { good: v1, content: v2.content } };
    expect(setup('v3').choose(buildReference({ spec, status })).guard).toEqual({ good: v1, content: v3.content });
    expect(setup('v2').choose(buildReference({ spec, status })).guard).toEqual({ good: v1, content: v2.content });
  });
});
