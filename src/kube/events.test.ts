import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFakeClock, type FakeClock } from '../runtime/fake-clock.ts';
import { KubeError } from './errors.ts';
import { type EventInput, events } from './event-series.ts';
import { createEventRecorder, type EventRecorder } from './events.ts';
import { subjectOf } from './path.ts';
import { FakeClient } from './testing/fake-client.ts';
import { createRecordingLogger } from './testing/recording-logger.ts';

function event(more: Partial<EventInput> = {}, object = 'api-db'): EventInput {
  const regarding = {
    apiVersion: 'keyferry.io/v1',
    kind: 'SecretReference',
    namespace: 'shop',
    name: object,
    uid: `uid-${object}`,
  };
  return { regarding, type: 'Warning', reason: 'SecretNotFound', action: 'Sync', note: 'There is none.', ...more };
}

function refusal(status: number): KubeError {
  return new KubeError({ subject: subjectOf('create', events), status, reason: '' });
}

describe('the event recorder', () => {
  let client: FakeClient;
  let clock: FakeClock;
  let recorder: EventRecorder;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    client = new FakeClient();
    clock = createFakeClock();
    let chance = 0;
    const random = (): number => {
      chance += 1;
      return chance / 2 ** 20;
    };
    recorder = createEventRecorder({
      client,
      controller: 'keyferry.io/operator',
      instance: 'operator-1',
      clock,
      random,
      logger: createRecordingLogger(),
    });
    stop = new AbortController();
    running = recorder.run(stop.signal);
  });

  afterEach(async () => {
    stop.abort();
    await clock.advance(60_000);
    await running;
  });

  function written() {
    return [...client.objects.values()];
  }

  it('writes an event as events.k8s.io/v1 wants it', async () => {
    recorder.record(event());
    await clock.flush();

    expect(written()).toMatchObject([
      {
        metadata: { namespace: 'shop' },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'keyferry.io/operator',
        reportingInstance: 'operator-1',
        regarding: event().regarding,
        type: 'Warning',
        reason: 'SecretNotFound',
        action: 'Sync',
        note: 'There is none.',
      },
    ]);
    expect(written()[0]?.metadata.name).toMatch(/^api-db\.[0-9a-f]+$/);
    expect(written()[0]).not.toHaveProperty('series');
  });

  it('writes events of cluster-scoped objects into the default namespace', async () => {
    recorder.record(event({ regarding: { ...event().regarding, namespace: '' } }));
    await clock.flush();

    expect(written()).toMatchObject([{ metadata: { namespace: 'default' }, regarding: { namespace: '' } }]);
  });

  it('counts repetitions in one event, and writes the count now and then', async () => {
    recorder.record(event());
    await clock.flush();
    for (let second = 0; second < 100; second += 1) {
      recorder.record(event());
      await clock.advance(1_000);
    }

    expect(written()).toMatchObject([{ series: { count: 91, lastObservedTime: '2026-01-01T00:01:29.000000Z' } }]);
    expect(client.calls).toHaveLength(4);
  });

  it.each<[string, Partial<EventInput>]>([
    ['type', { type: 'Normal' }],
    ['reason', { reason: 'AccessDenied' }],
    ['note', { note: 'There is no other.' }],
    ['object', { regarding: { ...event().regarding, uid: 'other' } }],
  ])('makes another event of another %s', async (_, more) => {
    recorder.record(event());
    recorder.record(event(more));
    await clock.flush();

    expect(client.objects.size).toBe(2);
  });

  it('makes a new event of the same after a long silence', async () => {
    recorder.record(event());
    await clock.advance(360_000);
    recorder.record(event());
    await clock.flush();

    expect(client.objects.size).toBe(2);
  });

  it('cuts long notes by bytes, between characters', async () => {
    recorder.record(event({ note: 'ä'.repeat(600) }));
    recorder.record(event({ note: `x${'ä'.repeat(600)}` }));
    await clock.flush();

    expect(written().map((object) => object['note'])).toEqual(['ä'.repeat(512), `x${'ä'.repeat(511)}`]);
  });

  it('writes a burst of 50, then 10 a second', async () => {
    for (let index = 0; index < 100; index += 1) {
      recorder.record(event({}, `object-${String(index)}`));
    }
    await clock.flush();
    await clock.flush();
    const burst = client.objects.size;
    await clock.advance(2_000);

    expect([burst, client.objects.size]).toEqual([50, 70]);
  });

  it('drops what one object has too much of, and does not let others wait for it', async () => {
    for (let index = 0; index < 1_000; index += 1) {
      recorder.record(event({ note: String(index) }, 'noisy'));
    }
    recorder.record(event({}, 'quiet'));
    await clock.flush();

    expect(recorder.dropped).toBe(975);
    expect(written().filter(({ metadata }) => metadata.name.startsWith('quiet'))).toHaveLength(1);
  });

  it('has a bounded queue', async () => {
    client.fail = () => 'hang';
    for (let index = 0; index < 1_500; index += 1) {
      recorder.record(event({}, `object-${String(index)}`));
    }
    await clock.flush();

    expect(recorder.dropped).toBe(500);
  });

  it('tries again while the API server is away, and writes no event twice', async () => {
    let tries = 0;
    client.fail = () => {
      tries += 1;
      return tries < 3 ? refusal(503) : undefined;
    };
    recorder.record(event());

    await clock.advance(15_000);

    expect(tries).toBe(3);
    expect(client.objects.size).toBe(1);
    expect(recorder.dropped).toBe(0);
  });

  it('gives up on what the API server refuses', async () => {
    client.fail = () => refusal(403);
    recorder.record(event());

    await clock.advance(60_000);

    expect(client.calls).toHaveLength(1);
    expect(recorder.dropped).toBe(1);
  });

  it('writes what is left when it stops', async () => {
    recorder.record(event());
    recorder.record(event({ reason: 'AccessDenied' }));

    stop.abort();
    await running;

    expect(client.objects.size).toBe(2);
  });

  it('does not let a server that hangs hold up the stop', async () => {
    client.fail = () => 'hang';
    recorder.record(event());
    recorder.record(event({ reason: 'AccessDenied' }));
    await clock.flush();

    stop.abort();
    await clock.advance(2_000);
    await running;

    expect(recorder.dropped).toBe(2);
  });
});
