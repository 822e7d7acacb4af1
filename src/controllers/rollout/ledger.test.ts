import { describe, expect, it } from 'vitest';
import { contentRunBy, type Evidence, isDue, type SecretContent } from './ledger.ts';

const inFlight: SecretContent = {
  content: '1:bbbb',
  previous: '1:aaaa',
  changedAt: '2026-01-01T10:00:00Z',
  agreed: false,
};
const settled: SecretContent = { ...inFlight, agreed: true };
const nothing: Evidence = { createdAt: '2026-01-01T00:00:00Z', marker: undefined, entry: undefined };
const ours = (value: string) => ({ value, ours: true });
const theirs = (value: string) => ({ value, ours: false });

describe('the content that pods are known to run', () => {
  it.each<[string, string, Partial<Evidence>, SecretContent]>([
    ['what our marker says', '1:mmmm', { marker: ours('1:mmmm'), entry: { content: '1:eeee' } }, settled],
    ['what our marker says in its other form', '1:mmmm', { marker: ours('1:mmmm+') }, settled],
    ['what this process marked, where others took the marker away', '1:pppp', { applied: '1:pppp' }, inFlight],
    [
      'what the ledger says, whatever a marker of others does',
      '1:eeee',
      { marker: theirs('1:bbbb'), entry: { content: '1:eeee' } },
      settled,
    ],
    ['what the Secret holds, where nobody knows it and no change is in flight', '1:bbbb', {}, settled],
    ['what the Secret held before, where nobody knows it and a change is in flight', '1:aaaa', {}, inFlight],
    ['what the Secret holds, where it held nothing before', '1:bbbb', {}, { ...inFlight, previous: '' }],
    [
      'unknown, where the Secret is still that of others',
      'unknown',
      {},
      { ...inFlight, content: undefined, previous: '' },
    ],
    ['unknown, where the Secret had other bytes of others before', 'unknown', {}, { ...inFlight, previous: 'unknown' }],
  ])('is %s', (_what, expected, evidence, secret) => {
    expect(contentRunBy({ ...nothing, ...evidence }, secret)).toBe(expected);
  });

  it.each([
    ['2026-01-01T10:01:01Z', '1:bbbb'],
    ['2026-01-01T10:01:00Z', '1:aaaa'],
    ['2026-01-01T09:00:00Z', '1:aaaa'],
    [undefined, '1:aaaa'],
  ])('of a workload created at %s, while a change from 10:00:00 is in flight, is %s', (createdAt, expected) => {
    expect(contentRunBy({ ...nothing, createdAt }, inFlight)).toBe(expected);
  });

  it('is the one before where nobody looked when the Secret was written', () => {
    const secret = { ...inFlight, changedAt: undefined };
    expect(contentRunBy({ ...nothing, createdAt: '2027-01-01T00:00:00Z' }, secret)).toBe('1:aaaa');
  });
});

describe('a consumer', () => {
  it.each([
    [true, 'runs other content', { content: '1:aaaa' }],
    [true, 'runs what nobody knows', { content: 'unknown' }],
    [false, 'runs the content', { content: '1:bbbb' }],
    [false, 'has no content', {}],
    [false, 'is left alone', { content: '1:aaaa', state: 'LeftAlone' as const }],
  ])('is due: %s, where it %s', (expected, _what, consumer) => {
    expect(isDue(consumer, '1:bbbb')).toBe(expected);
  });
});
