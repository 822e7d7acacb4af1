import { describe, expect, it } from 'vitest';
import { buildConsumer } from '../testing/builders.ts';
import { judgeOverdue } from './overdue.ts';

const now = Date.parse('2026-01-01T00:10:00Z');
const deadline = 600_000;
const since = (time: string) => buildConsumer({ state: 'Progressing', since: `2026-01-01T${time}Z`, message: 'slow' });

describe('a rollout', () => {
  it('fails once it took as long as it may', () => {
    const { consumers, nextDeadline } = judgeOverdue([since('00:00:00')], now, deadline);
    expect(consumers).toMatchObject([{ state: 'Failed', message: 'not complete after 10m' }]);
    expect(nextDeadline).toBeUndefined();
  });

  it('goes on before that, and the first deadline of all is told', () => {
    const all = [since('00:00:02'), since('00:00:01')];
    expect(judgeOverdue(all, now, deadline)).toEqual({ consumers: all, nextDeadline: 1_000 });
  });

  it('has its time from when its pods last got on', () => {
    const { consumers, nextDeadline } = judgeOverdue([since('00:00:00')], now, deadline, () => now - 1_000);
    expect(consumers).toMatchObject([{ state: 'Progressing' }]);
    expect(nextDeadline).toBe(deadline - 1_000);
  });

  it.each([
    ['of which nobody knows when it began', buildConsumer({ state: 'Progressing' })],
    ['that is paused', buildConsumer({ state: 'Paused', since: '2025-01-01T00:00:00Z' })],
    ['that is complete', buildConsumer({ since: '2025-01-01T00:00:00Z' })],
  ])('%s is never late', (_what, consumer) => {
    expect(judgeOverdue([consumer], now, deadline)).toEqual({ consumers: [consumer], nextDeadline: undefined });
  });
});
