import { beforeAll, describe, expect, it } from 'vitest';
import type { SealContext } from '../../managers/embedded/sealing/context.ts';
import { openSealed, seal } from '../../managers/embedded/sealing/envelope.ts';
import { SealError } from '../../managers/embedded/sealing/seal-error.ts';
import { type KeyRing, keyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { resealVersion, type SealedEntry } from './reseal-version.ts';

const MAX = 65_536;
const place: SealContext = { cluster: 'c', namespace: 'shop', secret: 'db', uid: 'u', version: 3, type: '' };
let old: SealingKey;
let current: SealingKey;
let ring: KeyRing;

beforeAll(async () => {
  [old, current] = await Promise.all([SealingKey.generate(), SealingKey.generate()]);
  ring = keyRing([old, current], current, undefined);
});

async function entry(value: string, { publicKey: key }: SealingKey, at = place): Promise<SealedEntry> {
  return { key, data: await seal(SecretValue.fromString(value), at, key) };
}

describe('a version that is sealed to an old key', () => {
  it('is sealed to the one in use besides, for the same place', async () => {
    const foreign = await entry('x', await SealingKey.generate());
    const mine = await entry('value', old);
    const made = await resealVersion({ sealed: [foreign, mine] }, old.publicKey, ring, place, MAX);
    expect(made?.sealed).toEqual([foreign, mine, made?.entry]);
    expect(made?.entry.key).toBe(current.publicKey);
    expect((await openSealed(made?.entry.data ?? '', current, place, MAX)).asString()).toBe('value');
  });

  it('keeps the entry for the key in use that is there already and has the same value', async () => {
    const sealed = [await entry('value', old), await entry('value', current)];
    expect(await resealVersion({ sealed }, old.publicKey, ring, place, MAX)).toEqual({ entry: sealed[1], sealed });
  });

  it.each([
    ['another value', 'other', place],
    ['another place', 'value', { ...place, version: 4 }],
  ])('does not keep one with %s', async (_what, value, at) => {
    const mine = await entry('value', old);
    const sealed = [await entry(value, current, at), mine];
    const made = await resealVersion({ sealed }, old.publicKey, ring, place, MAX);
    expect(made?.sealed).toEqual([mine, made?.entry]);
    expect((await openSealed(made?.entry.data ?? '', current, place, MAX)).asString()).toBe('value');
  });

  it('stays as it is where there is nothing to do, or nothing can be done', async () => {
    const sealed = [await entry('value', old), await entry('value', current)];
    const none = keyRing([old], undefined, 'a problem');
    const lost = keyRing([current], current, undefined);
    expect(await resealVersion({ sealed }, current.publicKey, ring, place, MAX)).toBeUndefined();
    expect(await resealVersion({ sealed }, old.publicKey, none, place, MAX)).toBeUndefined();
    expect(await resealVersion({ sealed }, old.publicKey, lost, place, MAX)).toBeUndefined();
    expect(await resealVersion({}, old.publicKey, ring, place, MAX)).toBeUndefined();
  });

  it('is refused where what was accepted belongs elsewhere', async () => {
    const sealed = [await entry('value', old, { ...place, namespace: 'cart' })];
    await expect(resealVersion({ sealed }, old.publicKey, ring, place, MAX)).rejects.toThrow(SealError);
  });
});
