import { describe, expect, it } from 'vitest';
import { type Consumer, type RolloutSpec, rolloutSpecSchema } from '../../api/v1/rollout.ts';
import { buildConsumer, buildVersionSet } from '../testing/builders.ts';
import { MAX_CONSUMERS } from './consumers.ts';
import { rolledOut } from './rolled-out.ts';

const reference = { namespace: 'shop', name: 'orders' };
const auto = rolloutSpecSchema.parse({});
const good = buildVersionSet();
const bad = buildVersionSet({ content: '1:bbbb', summary: 'db.password@v2' });
const held = { good, bad, since: '2026-01-01T00:00:00Z', why: 'Deployment api: it crashed' };

function conditionFor(consumers: readonly Consumer[], rollout: RolloutSpec = auto) {
  return rolledOut(reference, 'api-db', 'db.password@v1', rollout, consumers);
}

const inState = (state: Consumer['state'], name: string = state) => buildConsumer({ state, name, uid: name });

describe('a reference is rolled out', () => {
  it.each<[string, readonly Consumer[]]>([
    ['Deployment api runs db.password@v1', [buildConsumer()]],
    ['2 workloads run db.password@v1', [buildConsumer(), buildConsumer({ uid: 'other' })]],
    ['Deployment api runs db.password@v1', [buildConsumer(), inState('LeftAlone')]],
  ])('where %s', (message, consumers) => {
    expect(conditionFor(consumers)).toEqual({ status: 'True', reason: 'Complete', message });
  });

  it.each<[string, readonly Consumer[], RolloutSpec]>([
    ['no workload that is rolled out uses Secret api-db', [], auto],
    ['no workload that is rolled out uses Secret api-db', [inState('LeftAlone')], auto],
    ['rollout.policy is Never', [inState('LeftAlone')], { ...auto, policy: 'Never' }],
  ])('where there is nothing to do: %s', (message, consumers, rollout) => {
    expect(conditionFor(consumers, rollout)).toEqual({ status: 'True', reason: 'NothingToRollOut', message });
  });

  it('and tells which listed workloads are not there', () => {
    const workloads = ['api', 'web'].map((name) => ({ kind: 'Deployment' as const, name }));
    const { message } = conditionFor([buildConsumer()], { ...auto, policy: 'Listed', workloads });
    expect(message).toBe(
      'Deployment api runs db.password@v1. In rollout.workloads, but not in this namespace: Deployment web',
    );
  });
});

describe('a reference is not rolled out', () => {
  it.each([
    ['Failed', 'Failed', 'its new pods do not become ready'],
    ['Stuck', 'Failed', 'a pod has to be deleted'],
    ['Waiting', 'Waiting', 'about to be rolled out'],
    ['Progressing', 'Progressing', 'being replaced'],
    ['Paused', 'Paused', 'follows when it is resumed'],
    ['WaitingForDelete', 'Paused', 'OnDelete'],
    ['Partial', 'Paused', 'partition'],
  ] as const)('while a consumer is %s: %s', (state, reason, text) => {
    const message = expect.stringMatching(new RegExp(`^Deployment ${state}: .*${text}`, 'u'));
    expect(conditionFor([buildConsumer(), inState(state)])).toEqual({ status: 'False', reason, message });
  });

  it('and tells what a consumer itself says', () => {
    const consumer = buildConsumer({ state: 'Waiting', message: 'it was rolled out less than 30s ago' });
    expect(conditionFor([consumer]).message).toBe('Deployment api: it was rolled out less than 30s ago');
  });

  it('and tells the worst, with the number of those like it', () => {
    const states = ['Complete', 'Paused', 'Progressing', 'Waiting', 'Stuck', 'Failed'] as const;
    for (let most = states.length; most > 1; most -= 1) {
      const { reason } = conditionFor(states.slice(0, most).map((state) => inState(state)));
      expect(reason).toBe({ Stuck: 'Failed' }[String(states[most - 1])] ?? states[most - 1]);
    }
    expect(conditionFor([inState('Failed', 'a'), inState('Stuck', 'b')]).message).toMatch(
      /^Deployment a: .*\(and 1 more\)$/u,
    );
  });

  it('where there are more consumers than can be told', () => {
    const many = Array.from({ length: MAX_CONSUMERS }, (_, index) => buildConsumer({ uid: `${index}` }));
    expect(conditionFor(many)).toMatchObject({
      status: 'False',
      reason: 'Failed',
      message: expect.stringContaining(`${MAX_CONSUMERS}`),
    });
  });

  it.each([
    ['1:aaaa', 'so the Secret holds db.password@v1 again'],
    ['1:bbbb', 'so the Secret goes back to db.password@v1'],
  ])('while it is held, whatever its consumers do; with content %s the message says that %s', (content, text) => {
    const condition = rolledOut(reference, 'api-db', 'x', auto, [inState('Failed')], held, content);
    expect(condition).toMatchObject({ status: 'False', reason: 'Reverted' });
    expect(condition.message).toContain(`the rollout of db.password@v2 failed (Deployment api: it crashed), ${text}.`);
    expect(condition.message).toContain('kubectl annotate sref -n shop orders keyferry.io/retry=');
  });
});
