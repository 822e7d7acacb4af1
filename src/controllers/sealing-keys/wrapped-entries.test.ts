import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { sealingKeysSecret } from '../../api/v1/names.ts';
import { KubeError } from '../../kube/errors.ts';
import { createRecordingLogger } from '../../kube/testing/recording-logger.ts';
import { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { parseWrapped, wrappedText } from '../../managers/embedded/sealing/wrapped-key.ts';
import { ManagerError } from '../../managers/errors.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { createRecordingClient, kubeError } from '../testing/recording-client.ts';
import { createKeyStore, type StoredKeys } from './key-store.ts';
import { createEntryOpener, type KeyWrapper } from './wrapped-entries.ts';

const signal = new AbortController().signal;
const kmsKey = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const down = new ManagerError('ManagerUnavailable', 'cannot connect to AWS KMS');
const foreign = new ManagerError('InvalidValue', 'it was made for another cluster');
let one: SealingKey;
let two: SealingKey;
/** By public key. */
const inside = new Map<string, SealingKey>();
let fault: ManagerError | undefined;
let unwraps: string[];

const wrapper: KeyWrapper = {
  wrap: async (key) => {
    if (fault !== undefined) throw fault;
    inside.set(key.publicKey, key);
    return { publicKey: key.publicKey, kmsKey, ciphertext: 'c2VhbGVk' };
  },
  unwrap: async ({ publicKey }) => {
    unwraps.push(publicKey);
    if (fault !== undefined) throw fault;
    const key = inside.get(publicKey);
    if (key === undefined) throw foreign;
    return key;
  },
};

beforeAll(async () => {
  [one, two] = await Promise.all([SealingKey.generate(), SealingKey.generate()]);
});
beforeEach(async () => {
  fault = undefined;
  unwraps = [];
  inside.clear();
  for (const key of [one, two]) inside.set(key.publicKey, key);
});

const wrapped = ({ publicKey }: SealingKey): string =>
  wrappedText({ publicKey, kmsKey, ciphertext: Buffer.from('sealed').toString('base64') });
const plain = (key: SealingKey): string => `# public key: ${key.publicKey}\n${key.reveal()}\n`;

function present(entries: Readonly<Record<string, string>>, version = '1'): StoredKeys {
  const data = new Map(Object.entries(entries).map(([name, text]) => [name, SecretValue.fromString(text)]));
  return { state: 'present', version, data };
}

const bodySchema = z.object({
  metadata: z.looseObject({}),
  data: z.record(z.string(), z.string().nullable()),
});

/** A store over a Secret that a test writes, and that the store's own patches change as the API server would. */
function setup(first: StoredKeys, answer?: KubeError) {
  const state = { stored: first };
  const clock = createFakeClock();
  const logger = createRecordingLogger();
  let writes = 0;
  const client = createRecordingClient(({ verb, body }) => {
    if (verb !== 'get' && answer !== undefined) throw answer;
    if (verb === 'patch') patch(bodySchema.parse(body).data);
    return { metadata, data: dataOf(state.stored) };
  });
  const metadata = { name: sealingKeysSecret, namespace: 'keyferry', uid: 'u', resourceVersion: '7' };
  const patch = (data: Readonly<Record<string, string | null>>): void => {
    writes += 1;
    const all = Object.entries({ ...dataOf(state.stored), ...data });
    const texts = all.flatMap(([name, text]) => (text === null ? [] : [[name, decode(text)] as const]));
    state.stored = present(Object.fromEntries(texts), `written ${writes}`);
  };
  const create = { client, namespace: 'keyferry' };
  const store = createKeyStore({ read: () => state.stored, create, hasSealed: () => false, wrapper, clock, logger });
  return { state, clock, logger, client, store };
}

const decode = (text: string): string => Buffer.from(text, 'base64').toString();

function dataOf(stored: StoredKeys): Readonly<Record<string, string>> {
  if (stored.state !== 'present') return {};
  return Object.fromEntries([...stored.data].map(([name, value]) => [name, value.asBase64()]));
}

describe('wrapped sealing keys', () => {
  it('are opened once each, however often the Secret changes', async () => {
    const { state, store } = setup(present({ '1.agekey.kms': wrapped(one) }));
    await store.refresh();
    state.stored = present({ '1.agekey.kms': wrapped(one), '2.agekey.kms': wrapped(two) }, '2');
    await store.refresh();
    await store.refresh();

    expect(store.ring()?.current?.publicKey).toBe(two.publicKey);
    expect(store.ring()?.find(one.publicKey)?.reveal()).toBe(one.reveal());
    expect(unwraps).toEqual([one.publicKey, two.publicKey]);
  });

  it('close everything while AWS KMS is away at the start, and are tried again', async () => {
    fault = down;
    const { clock, store, logger } = setup(present({ '1.agekey.kms': wrapped(one) }));
    await store.refresh();
    expect(store.ring()?.current).toBeUndefined();
    expect(store.ring()?.problem).toBe(
      `Secret ${sealingKeysSecret} has no age key in 1.agekey: 1.agekey: cannot connect to AWS KMS. It was wrapped by ${kmsKey}`,
    );
    await clock.advance(600_000);
    // Less and less often, and told once.
    expect(unwraps.length).toBeGreaterThan(5);
    expect(unwraps.length).toBeLessThan(30);
    expect(logger.records).toHaveLength(1);

    fault = undefined;
    await clock.advance(60_000);

    await vi.waitFor(() => expect(store.ring()?.current?.publicKey).toBe(one.publicKey));
    expect(clock.pending()).toBe(0);
  });

  it('go on from memory while AWS KMS is away later, until a new one can be opened too', async () => {
    const { state, clock, store, logger } = setup(present({ '1.agekey.kms': wrapped(one) }));
    await store.refresh();
    fault = down;
    state.stored = present({ '1.agekey.kms': wrapped(one), '2.agekey.kms': wrapped(two) }, '2');
    await store.refresh();
    expect(store.ring()?.current?.publicKey).toBe(one.publicKey);
    expect(logger.records.map(({ message }) => message)).toEqual([
      'New sealing keys can not be unwrapped yet, and the known ones go on',
    ]);

    fault = undefined;
    await clock.advance(2000);

    await vi.waitFor(() => expect(store.ring()?.current?.publicKey).toBe(two.publicKey));
  });

  it('of another cluster are refused for good, and asked about once', async () => {
    inside.clear();
    const { clock, store } = setup(present({ '1.agekey.kms': wrapped(one) }));
    await store.refresh();
    await clock.advance(600_000);
    expect(store.ring()?.problem).toContain('1.agekey: it was made for another cluster');
    expect(unwraps).toHaveLength(1);
  });

  it.each([
    ['is no such thing', (text: string) => text.slice(1), 'it is not a wrapped key'],
    ['has a plain key in it', () => plain(one), 'it is not a wrapped key'],
  ])('are told as such where one %s, and not shown', async (_what, change, words) => {
    const { store, logger } = setup(present({ '1.agekey.kms': change(wrapped(one)), '2.agekey.kms': wrapped(two) }));
    await store.refresh();
    expect(store.ring()?.current?.publicKey).toBe(two.publicKey);
    expect(store.ring()?.unreadable).toContain(`1.agekey: ${words}`);
    expect(JSON.stringify(logger.records)).not.toContain('AGE-SECRET');
  });

  it('do not open where the operator is not told by which key: that is said', async () => {
    const { closed, again } = await createEntryOpener(undefined).open({
      data: new Map([['1.agekey.kms', SecretValue.fromString(wrapped(one))]]),
    });
    expect(closed).toContain('1.agekey: it is wrapped by AWS KMS, and the operator runs without');
    expect(again).toBe(false);
  });
});

describe('keys that are to be wrapped', () => {
  it('are, the first one from the start', async () => {
    const { client, store } = setup({ state: 'absent' });
    await store.ensure(signal);
    expect(client.calls.map(({ verb }) => verb)).toEqual(['create']);
    const { data } = bodySchema.parse(client.calls[0]?.body);
    expect(Object.keys(data)).toEqual(['1.agekey.kms']);
    expect(parseWrapped(decode(data['1.agekey.kms'] ?? ''))?.publicKey).toMatch(/^age1/);
    expect(JSON.stringify(client.calls)).not.toContain(Buffer.from('AGE-SECRET').toString('base64').slice(0, 12));
  });

  it('are written beside the plain ones first, which go once the others were seen to open', async () => {
    const { client, store, state } = setup(present({ '1.agekey': plain(one), '2.agekey': plain(two), README: 'x' }));
    await store.ensure(signal);
    const patches = client.calls.filter(({ verb }) => verb === 'patch').map(({ body }) => bodySchema.parse(body));
    expect(patches.map(({ data }) => Object.keys(data))).toEqual([
      ['1.agekey.kms', '2.agekey.kms'],
      ['1.agekey', '2.agekey'],
    ]);
    expect(patches[0]?.metadata).toMatchObject({ uid: 'u', resourceVersion: '7' });
    expect(patches[1]?.metadata).toMatchObject({
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': null },
    });
    expect(Object.keys(dataOf(state.stored)).toSorted()).toEqual(['1.agekey.kms', '2.agekey.kms', 'README']);
    await store.refresh();
    expect(store.ring()?.publicKeys).toEqual([one.publicKey, two.publicKey]);
    expect(unwraps).toEqual([one.publicKey, two.publicKey]);
  });

  it('are gone on with where it ended half-way', async () => {
    const { client, store, state } = setup(present({ '1.agekey': plain(one), '1.agekey.kms': wrapped(one) }));
    await store.ensure(signal);
    expect(client.calls.filter(({ verb }) => verb === 'patch')).toHaveLength(1);
    expect(Object.keys(dataOf(state.stored))).toEqual(['1.agekey.kms']);
  });

  it('stay as they are where the wrapped one is another key, or does not open', async () => {
    const other = setup(present({ '1.agekey': plain(one), '1.agekey.kms': wrapped(two) }));
    await expect(other.store.ensure(signal)).rejects.toThrow('1.agekey and 1.agekey.kms are two different keys');
    inside.clear();
    const closed = setup(present({ '1.agekey': plain(one), '1.agekey.kms': wrapped(one) }));
    await expect(closed.store.ensure(signal)).rejects.toThrow('another cluster');
    for (const { client } of [other, closed]) expect(client.calls.map(({ verb }) => verb)).toEqual(['get']);
  });

  it('stay, and are used, while AWS KMS or the API server does not take it', async () => {
    fault = down;
    const away = setup(present({ '1.agekey': plain(one) }));
    await expect(away.store.ensure(signal)).rejects.toThrow('cannot connect');
    expect(away.store.ring()?.current?.publicKey).toBe(one.publicKey);
    fault = undefined;
    const refused = setup(present({ '1.agekey': plain(one) }), kubeError(409, 'Conflict'));
    await expect(refused.store.ensure(signal)).rejects.toThrow(KubeError);
    expect(Object.keys(dataOf(refused.state.stored))).toEqual(['1.agekey']);
  });

  it('are left alone where what is there is no key', async () => {
    const { client, store } = setup(present({ '1.agekey': 'broken', '2.agekey.kms': wrapped(two) }));
    await store.ensure(signal);
    expect(client.calls.map(({ verb }) => verb)).toEqual(['get']);
  });
});
