import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { annotations, sealingKeysSecret } from '../../api/v1/names.ts';
import { KubeError } from '../../kube/errors.ts';
import { createRecordingLogger } from '../../kube/testing/recording-logger.ts';
import { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { createRecordingClient, kubeError } from '../testing/recording-client.ts';
import { createKeyStore, type StoredKeys } from './key-store.ts';

const signal = new AbortController().signal;
const answered = { metadata: { name: sealingKeysSecret, namespace: 'keyferry', uid: 'u', resourceVersion: '1' } };
const bodySchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
  type: z.string(),
  data: z.record(z.string(), z.string()),
});

interface Setup {
  readonly hasSealed?: boolean | undefined;
  readonly answer?: KubeError;
  readonly folder?: string;
}

function setup(given: Setup = {}) {
  const { answer, folder } = given;
  const state: { stored: StoredKeys; hasSealed: boolean | undefined } = {
    stored: { state: 'absent' },
    hasSealed: 'hasSealed' in given ? given.hasSealed : false,
  };
  const client = createRecordingClient(() => answer ?? answered);
  const logger = createRecordingLogger();
  const store = createKeyStore({
    read: () => state.stored,
    create: folder === undefined ? { client, namespace: 'keyferry' } : undefined,
    folder,
    hasSealed: () => state.hasSealed,
    clock: createFakeClock(),
    logger,
  });
  const told: (string | undefined)[] = [];
  store.onChange(() => told.push(store.ring()?.problem ?? store.ring()?.current?.publicKey));
  return { state, client, logger, store, told };
}

function present(key: SealingKey, version = '1'): StoredKeys {
  return { state: 'present', version, data: new Map([['1.agekey', SecretValue.fromString(key.reveal())]]) };
}

describe('the store of sealing keys', () => {
  it('has nothing while they are not read, and tells everybody when they are', async () => {
    const { state, store, told } = setup();
    const key = await SealingKey.generate();
    state.stored = { state: 'loading' };
    await store.refresh();
    expect(store.ring()).toBeUndefined();
    state.stored = present(key);
    await store.refresh();
    await store.refresh();
    expect(told).toEqual([key.publicKey]);
  });

  it('has what was seen last, though an older look ends later', async () => {
    const { state, store, told } = setup();
    const [old, latest] = await Promise.all([SealingKey.generate(), SealingKey.generate()]);
    state.stored = present(old, '1');
    const first = store.refresh();
    state.stored = present(latest, '2');
    await Promise.all([store.refresh(), first]);
    expect(told).toEqual([latest.publicKey]);
  });

  it('says where the keys are mounted that can not be read', async () => {
    const { state, store } = setup({ folder: '/keys' });
    state.stored = { state: 'present', version: '1', data: new Map() };
    await store.refresh();
    expect(store.ring()?.problem).toContain('the folder /keys of --sealing-keys-file has no entry with a key');
  });

  it('goes on with the key in use where another is broken, and says once which', async () => {
    const { state, store, logger, told } = setup();
    const key = await SealingKey.generate();
    const data = new Map([
      ['1.agekey', SecretValue.fromString('AGE-SECRET-KEY-1NO')],
      ['2.agekey', SecretValue.fromString(key.reveal())],
    ]);
    state.stored = { state: 'present', version: '1', data };
    await store.refresh();
    await store.refresh();
    expect(told).toEqual([key.publicKey]);
    expect(logger.records).toHaveLength(1);
    expect(logger.records[0]?.fields).toEqual({ problem: expect.stringContaining('no age key in 1.agekey') });
  });

  it('writes no key into the log', async () => {
    const { state, store, logger } = setup();
    const key = await SealingKey.generate();
    const text = SecretValue.fromString(`${key.reveal()}x`);
    state.stored = { state: 'present', version: '1', data: new Map([['1.agekey', text]]) };
    await store.refresh();
    expect(logger.records).toHaveLength(1);
    expect(inspect(logger.records, { depth: 9 })).not.toContain('AGE-SECRET');
  });
});

describe('the first key', () => {
  it('is made where there is none and nothing was ever sealed', async () => {
    const { client, store, logger } = setup();
    await store.ensure(signal);
    expect(client.calls.map(({ verb, object }) => `${verb} ${object}`)).toEqual([
      `create secrets/keyferry/${sealingKeysSecret}`,
    ]);
    const { metadata, type, data } = bodySchema.parse(client.calls[0]?.body);
    expect([metadata.annotations[annotations.currentKey], type, Object.keys(data)]).toEqual([
      '1.agekey',
      'Opaque',
      ['1.agekey'],
    ]);
    const text = Buffer.from(data['1.agekey'] ?? '', 'base64').toString();
    expect(text).toContain(`# public key: ${(await SealingKey.parse(text))?.publicKey}`);
    expect(inspect(logger.records, { depth: 9 })).not.toContain('AGE-SECRET');
  });

  it('is never made where anything is sealed to one that is gone: it says to restore that', async () => {
    const { client, store } = setup({ hasSealed: true });
    await store.ensure(signal);
    expect(client.calls).toEqual([]);
    expect(store.ring()?.problem).toContain('SealingKeyMissing: Secret keyferry-sealing-keys');
    expect(store.ring()?.problem).toContain('restore it from its backup');
  });

  it('is not made a second time where the first one went before anything was sealed here: somebody may have its public half', async () => {
    const { client, store, state } = setup();
    state.stored = present(await SealingKey.generate());
    await store.ensure(signal);
    state.stored = { state: 'absent' };
    await store.ensure(signal);
    expect(client.calls).toEqual([]);
    expect(store.ring()?.problem).toContain('keyferry keys create');
  });

  it.each<[string, Partial<Setup>, StoredKeys['state']]>([
    ['it is not known whether anything is sealed', { hasSealed: undefined }, 'absent'],
    ['it is not known yet whether there is a key', {}, 'loading'],
    ['keys are mounted', { folder: '/keys' }, 'absent'],
  ])('is not made where %s', async (_what, given, seen) => {
    const { client, store, state } = setup(given);
    if (seen === 'loading') state.stored = { state: seen };
    await store.ensure(signal);
    expect(client.calls).toEqual([]);
  });

  it('is not made where there is one, broken or not', async () => {
    const { client, store, state } = setup();
    state.stored = { state: 'present', version: '1', data: new Map() };
    await store.ensure(signal);
    expect(client.calls).toEqual([]);
  });

  it('is that of whoever was faster', async () => {
    const { store, logger } = setup({ answer: kubeError(409, 'AlreadyExists') });
    await store.ensure(signal);
    expect(logger.records).toEqual([]);
  });

  it('is tried again by the caller where the API server does not take it', async () => {
    const { store } = setup({ answer: kubeError(403, 'Forbidden') });
    await expect(store.ensure(signal)).rejects.toThrow(KubeError);
  });
});
