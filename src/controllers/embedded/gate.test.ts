import { expect, test } from 'vitest';
import { KubeError } from '../../kube/errors.ts';
import { createRecordingLogger } from '../../kube/testing/recording-logger.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { createRecordingClient, type RecordedCall } from '../testing/recording-client.ts';
import { createPolicyGate } from './gate.ts';

type Answer = object | KubeError;

function failure(status: number, detail = ''): KubeError {
  const subject = {
    verb: 'create',
    resource: 'secretversions.keyferry.io',
    object: 'keyferry/probe',
    sensitive: false,
  };
  return new KubeError({ subject, status, reason: status === 403 ? 'Forbidden' : '', detail });
}

function deniedBy(policy: string): KubeError {
  return failure(403, `ValidatingAdmissionPolicy '${policy}' with binding '${policy}' denied request: no`);
}

function isVersion({ object }: RecordedCall): boolean {
  return object.startsWith('secretversions/');
}

const inForce = (call: RecordedCall): Answer =>
  deniedBy(isVersion(call) ? 'keyferry-secret-versions' : 'keyferry-secret-reveals');
const stored = (): Answer => ({ metadata: { name: 'probe', uid: '', resourceVersion: '' } });

/** A gate that runs, with the calls of its client and the changes that it told. */
async function openGate(first: (call: RecordedCall) => Answer = inForce) {
  const clock = createFakeClock();
  const logger = createRecordingLogger();
  const stop = new AbortController();
  const server = { answer: first };
  const client = createRecordingClient((call) => server.answer(call));
  const gate = createPolicyGate({ client, clock, logger, namespace: 'keyferry' });
  let changes = 0;
  gate.onChange(() => (changes += 1));
  const before = gate.state();
  const ended = gate.run(stop.signal);
  await clock.flush();
  return {
    gate,
    clock,
    client,
    logger,
    server,
    before,
    changes: () => changes,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

function messageOf({ gate }: Awaited<ReturnType<typeof openGate>>): string {
  const state = gate.state();
  return state.open ? 'open' : state.message;
}

test('it opens when both policies refused what says to be from somebody else', async () => {
  const opened = await openGate();

  expect(opened.before).toMatchObject({ open: false, unsure: true });
  expect(opened.gate.state()).toEqual({ open: true });
  expect(opened.changes()).toBe(1);
  await opened.stop();
});

test("it asks in the operator's own namespace, as a user that nobody is", async () => {
  const opened = await openGate();

  expect(opened.client.calls).toMatchObject([
    {
      verb: 'create',
      object: 'secretversions/keyferry/keyferry-probe-1',
      body: { spec: { createdBy: 'keyferry:probe' } },
    },
    {
      verb: 'create',
      object: 'secretreveals/keyferry/keyferry-probe',
      body: { spec: { requestedBy: 'keyferry:probe' } },
    },
  ]);
  await opened.stop();
});

test.each<[string, string, (call: RecordedCall) => Answer]>([
  ['versions are accepted', 'secret-versions is missing', (call) => (isVersion(call) ? stored() : inForce(call))],
  ['reveals are accepted', 'secret-reveals is missing', (call) => (isVersion(call) ? inForce(call) : stored())],
  ['both are accepted', 'secret-versions is missing or does not deny', stored],
  ['another policy refuses them', 'something else refuses', () => deniedBy('keyferry-secret-versions-2')],
  ['RBAC refuses them', 'let it create secretversions', () => failure(403, 'User "x" cannot create resource')],
  ['there is no such kind', 'apply crds/ and policies/', () => failure(404)],
  ['their schema refuses them', 'are not those of this release', () => failure(422)],
])('it stays closed where %s', async (_case, message, answer) => {
  const opened = await openGate(answer);

  expect(opened.gate.state()).toMatchObject({ open: false });
  expect(opened.gate.state()).not.toHaveProperty('unsure');
  expect(messageOf(opened)).toContain(message);
  expect(opened.logger.records).toHaveLength(1);
  await opened.stop();
});

test('it closes within 20 seconds after a policy is gone, and opens within 2 once it is back', async () => {
  const opened = await openGate();

  opened.server.answer = stored;
  await opened.clock.advance(19_999);
  expect(opened.gate.state().open).toBe(true);
  await opened.clock.advance(1);
  expect(messageOf(opened)).toContain('keyferry-secret-versions is missing');

  opened.server.answer = inForce;
  await opened.clock.advance(2_000);
  expect(opened.gate.state()).toEqual({ open: true });
  expect(opened.changes()).toBe(3);
  await opened.stop();
});

test.each([0, 401, 429, 500, 503])(
  'answer %i says nothing of the policies: the last verdict holds for a minute',
  async (status) => {
    const opened = await openGate();

    opened.server.answer = () => failure(status);
    await opened.clock.advance(59_000);
    expect(opened.gate.state().open).toBe(true);
    await opened.clock.advance(1_000);
    expect(opened.gate.state()).toMatchObject({ open: false, unsure: true });
    await opened.clock.advance(2_000);
    expect(opened.changes()).toBe(2);

    opened.server.answer = inForce;
    await opened.clock.advance(2_000);
    expect(opened.gate.state()).toEqual({ open: true });
    await opened.stop();
  },
);

test('one policy that is seen missing closes it, whatever becomes of the other question', async () => {
  const opened = await openGate();

  opened.server.answer = (call) => (isVersion(call) ? failure(500) : stored());
  await opened.clock.advance(20_000);

  expect(messageOf(opened)).toContain('keyferry-secret-reveals is missing');
  await opened.stop();
});

test('one policy that is seen in force does not open it alone', async () => {
  const opened = await openGate((call) => (isVersion(call) ? inForce(call) : failure(500)));

  expect(opened.gate.state()).toMatchObject({ open: false, unsure: true });
  await opened.stop();
});

test('a closed gate stays closed while the API server is away', async () => {
  const opened = await openGate(stored);

  opened.server.answer = () => failure(503);
  await opened.clock.advance(300_000);

  expect(messageOf(opened)).toContain('is missing');
  await opened.stop();
});

test('a look in between notices at once what was taken away, and what came back', async () => {
  const opened = await openGate();
  const { signal } = new AbortController();

  opened.server.answer = stored;
  expect(await opened.gate.confirm(signal)).toMatchObject({ open: false });
  opened.server.answer = inForce;
  expect(await opened.gate.confirm(signal)).toEqual({ open: true });

  expect(opened.changes()).toBe(3);
  await opened.stop();
});

test('it is unguarded where a false name was let through, and not where that only can not be seen', async () => {
  const through = await openGate((call) => (isVersion(call) ? failure(404) : stored()));
  const unseen = await openGate(() => failure(403, 'User "x" cannot create resource'));

  expect(through.gate.state()).toMatchObject({ open: false, unguarded: true });
  expect(unseen.gate.state()).not.toHaveProperty('unguarded');
  await Promise.all([through.stop(), unseen.stop()]);
});

test('a look in between that learns nothing leaves the verdict as it is', async () => {
  const opened = await openGate();

  opened.server.answer = () => failure(503);
  expect(await opened.gate.confirm(new AbortController().signal)).toEqual({ open: true });
  await expect(opened.gate.confirm(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  await opened.stop();
});

test('those who ask while a look is under way share the next one, which begins after they asked', async () => {
  const opened = await openGate();
  const { signal } = new AbortController();
  const before = opened.client.calls.length;

  const first = opened.gate.confirm(signal);
  // Taken away after the first look began: who asks from now on must notice.
  opened.server.answer = stored;
  const later = [opened.gate.confirm(signal), opened.gate.confirm(signal), opened.gate.confirm(signal)];
  await Promise.all([first, ...later]);

  expect(await Promise.all(later)).toEqual(Array(3).fill(expect.objectContaining({ open: false })));
  expect(opened.client.calls.length - before).toBe(4);
  await opened.stop();
});

test('one who gives up a look that others wait for ends it for nobody else', async () => {
  const opened = await openGate();
  const impatient = new AbortController();
  opened.server.answer = stored;

  const given = opened.gate.confirm(impatient.signal);
  const patient = opened.gate.confirm(new AbortController().signal);
  impatient.abort(new Error('no time'));

  await expect(given).rejects.toThrow('no time');
  expect(await patient).toMatchObject({ open: false });
  await opened.stop();
});

test('it ends when it is told to', async () => {
  const opened = await openGate();
  await opened.stop();

  expect(opened.clock.pending()).toBe(0);
});
