import { describe, expect, it } from 'vitest';
import type { Guard } from '../../api/v1/rollout.ts';
import type { SecretReferenceStatus } from '../../api/v1/secret-reference.ts';
import { buildConsumer, buildVersionSet } from '../testing/builders.ts';
import { decideRevert, fallbackOf, presentSet } from './guard.ts';
import type { Verdict } from './pods.ts';

const target = { name: 'api-db', uid: 's', resourceVersion: '7', ownership: 'Owner', inputs: '1:aaaa' } as const;
const good = buildVersionSet();
const guard: Guard = { good, content: '1:bbbb' };
const bad = buildVersionSet({ content: '1:bbbb' });
const held = { good, bad, since: '2026-01-01T00:00:00Z', why: 'it failed' };
const status: SecretReferenceStatus = {
  target: { ...target, content: '1:aaaa' },
  summary: good.summary,
  versions: good.versions.map((version) => ({ ...version, keys: ['password'], since: 't0' })),
  consumers: [buildConsumer()],
};

describe('the versions that a target holds', () => {
  it('are a set to come back to', () => {
    expect(presentSet(status)).toEqual(good);
  });

  it('are none before it names a content', () => {
    expect(presentSet({})).toBeUndefined();
    expect(presentSet({ target })).toBeUndefined();
  });
});

describe('where a change would go back to', () => {
  it.each<[string, SecretReferenceStatus]>([
    ['what is complete', status],
    [
      'what is complete but for workloads that are left alone',
      { ...status, consumers: [buildConsumer({ state: 'LeftAlone' })] },
    ],
    ['what nobody consumes yet', { ...status, consumers: [] }],
    [
      'what the reference holds after a failed rollout',
      { ...status, held, consumers: [buildConsumer({ state: 'Progressing' })] },
    ],
  ])('is %s', (_what, now) => {
    expect(fallbackOf(now)).toMatchObject({ good });
  });

  it('is what the rollout under way began from, with its refusal', () => {
    const refused = { ...guard, refusal: 'gone' };
    expect(fallbackOf({ ...status, guard: refused, held })).toBe(refused);
  });

  it.each(['Progressing', 'Waiting', 'Failed', 'Paused', 'Stuck', 'Partial', 'WaitingForDelete'] as const)(
    'is nowhere while a consumer is %s',
    (state) => {
      expect(
        fallbackOf({ ...status, consumers: [buildConsumer(), buildConsumer({ uid: 'other', state })] }),
      ).toBeUndefined();
    },
  );
});

describe('a failed consumer', () => {
  const failed = buildConsumer({ state: 'Failed', template: 'tttttttt', message: 'not complete after 10m' });
  const verdict: Verdict = { failing: true, detail: 'its new pods: Crashed', young: false };
  const rolling = { updates: 'Rolling' } as const;

  it('is answered by going back where its pods fail on the new versions', () => {
    expect(decideRevert(guard, failed, rolling, 'tttttttt', verdict)).toEqual({
      action: 'revert',
      message: 'not complete after 10m, its new pods: Crashed',
    });
  });

  it.each([
    [
      'its pods prove nothing',
      'its new pods: Pending',
      {},
      { verdict: { ...verdict, failing: false, detail: 'its new pods: Pending' } },
    ],
    ['there is no way back', 'Not reverted: gone', {}, { guard: { ...guard, refusal: 'gone' } }],
    ['people replace its pods', 'Not reverted: with OnDelete', {}, { updates: { updates: 'OnDelete' as const } }],
    ['its template was changed too', 'Not reverted: more than this Secret changed', {}, { fingerprint: 'uuuuuuuu' }],
    [
      'nobody noted its template before',
      'Not reverted: more than this Secret changed',
      { template: undefined },
      { fingerprint: undefined },
    ],
  ])('is only reported where %s', (_what, message, consumer, more) => {
    const { template, ...rest } = failed;
    const one = 'template' in consumer ? rest : { ...rest, ...(template === undefined ? {} : { template }) };
    const given = { guard, updates: rolling, fingerprint: 'tttttttt', verdict, ...more };
    const decision = decideRevert(given.guard, one, given.updates, given.fingerprint, given.verdict);
    expect(decision).toEqual({ action: 'report', message: expect.stringContaining(message) });
  });

  it('is told without a word of pods where there is none to say', () => {
    const { message: _, ...silent } = failed;
    expect(decideRevert(guard, silent, rolling, 'tttttttt', { ...verdict, detail: '' }).message).toBe(
      'its rollout failed',
    );
  });
});
