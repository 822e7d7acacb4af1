import { expect, test } from 'vitest';
import { ManagerError } from '../../managers/errors.ts';
import type { SecretManager } from '../../managers/manager.ts';
import { createIdentityProbe } from './probe.ts';

/** A manager of which only the identity is ever asked. */
function managerThat(identity: () => Promise<string>): SecretManager {
  const refuse = (): Promise<never> => Promise.reject(new ManagerError('ManagerUnavailable', 'not part of this test'));
  return {
    capabilities: { stages: true, tags: true, put: true, batchSize: 20 },
    access: refuse,
    list: refuse,
    describe: refuse,
    versions: refuse,
    put: refuse,
    identity,
    close: () => undefined,
  };
}

function setup() {
  const answered = Promise.withResolvers<string>();
  return { probe: createIdentityProbe((key) => answered.resolve(key)), answered: answered.promise };
}

test('the first look asks, and the answer is there when the manager is called again', async () => {
  const { probe, answered } = setup();
  const manager = managerThat(() => Promise.resolve('arn:me'));
  expect(probe.ask('m', '1', manager)).toEqual({ state: 'asking' });
  expect(await answered).toBe('m');
  expect(probe.ask('m', '1', manager)).toEqual({ state: 'known', identity: 'arn:me' });
});

test('a refusal is kept as it is, and anything else is no answer', async () => {
  const refusal = new ManagerError('AccessDenied', 'who are you?');
  const refused = setup();
  const manager = managerThat(() => Promise.reject(refusal));
  refused.probe.ask('m', '1', manager);
  await refused.answered;
  expect(refused.probe.ask('m', '1', manager)).toEqual({ state: 'refused', error: refusal });

  const odd = setup();
  const oddManager = managerThat(() => Promise.reject(new Error('odd')));
  odd.probe.ask('m', '1', oddManager);
  await odd.answered;
  expect(odd.probe.ask('m', '1', oddManager)).toMatchObject({
    state: 'refused',
    error: { reason: 'ManagerUnavailable' },
  });
});

test('other credentials are asked for anew', async () => {
  const { probe, answered } = setup();
  probe.ask(
    'm',
    '1',
    managerThat(() => Promise.resolve('old')),
  );
  await answered;
  expect(
    probe.ask(
      'm',
      '2',
      managerThat(() => Promise.resolve('new')),
    ),
  ).toEqual({ state: 'asking' });
});
