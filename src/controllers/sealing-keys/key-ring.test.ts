import { beforeAll, describe, expect, it } from 'vitest';
import { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { ringOf } from './key-ring.ts';

let one: SealingKey;
let two: SealingKey;

beforeAll(async () => {
  [one, two] = await Promise.all([SealingKey.generate(), SealingKey.generate()]);
});

function ring(entries: Readonly<Record<string, string>>, current?: string) {
  const data = new Map(Object.entries(entries).map(([name, text]) => [name, SecretValue.fromString(text)]));
  return ringOf({ data, current }, 'Secret keys', 'restore it');
}

describe('the keys of a Secret or a folder', () => {
  it('are all found, whichever is in use', async () => {
    const keys = await ring({ '1.agekey': one.reveal(), '2.agekey': two.reveal() });
    expect(keys.publicKeys).toEqual([one.publicKey, two.publicKey]);
    expect(keys.find(one.publicKey)?.reveal()).toBe(one.reveal());
    expect([keys.find('age1other'), keys.problem]).toEqual([undefined, undefined]);
  });

  it.each([
    ['the annotation names', { current: '2.agekey' }, '1.agekey'],
    ['the entry `current` names', { current: '1.agekey\n' }, undefined],
  ])('have in use what %s', async (_what, more, annotation) => {
    const { current } = await ring({ '1.agekey': one.reveal(), '2.agekey': two.reveal(), ...more }, annotation);
    expect(current?.publicKey).toBe(one.publicKey);
  });

  it('have the last in use where nothing names one, with 10 after 9', async () => {
    const { current } = await ring({ '10.agekey': two.reveal(), '9.agekey': one.reveal() });
    expect(current?.publicKey).toBe(two.publicKey);
  });

  it('leave other entries alone', async () => {
    const { publicKeys, problem } = await ring({ '1.agekey': one.reveal(), README: 'x', '1.agekey.bak': 'x' });
    expect([publicKeys, problem]).toEqual([[one.publicKey], undefined]);
  });

  it.each([
    ['the annotation names', '1.agekey', {}],
    ['the entry `current` names', undefined, { current: '1.agekey' }],
  ])('seal to the one that %s, whichever other is broken: that is named and not shown', async (_what, name, more) => {
    const keys = await ring({ '1.agekey': one.reveal(), '2.agekey': two.reveal().slice(0, -1), ...more }, name);
    expect([keys.current?.publicKey, keys.problem]).toEqual([one.publicKey, undefined]);
    expect(keys.unreadable).toBe('Secret keys has no age key in 2.agekey: restore it');
  });

  it.each([
    ['the annotation names', '2.agekey'],
    ['comes last', undefined],
  ])('seal nothing where the one that %s is broken, and open what the others open', async (_what, name) => {
    const keys = await ring({ '1.agekey': one.reveal(), '2.agekey': two.reveal().slice(0, -1) }, name);
    expect(keys.current).toBeUndefined();
    expect(keys.find(one.publicKey)).toBeDefined();
    expect(keys.problem).toBe('Secret keys has no age key in 2.agekey: restore it');
  });

  it('seal nothing where the one in use is not there, and do not show what is there instead', async () => {
    const { current, problem } = await ring({ '1.agekey': one.reveal(), current: two.reveal() });
    expect([current, problem]).toEqual([
      undefined,
      'Secret keys does not have the key that it names as the one in use: restore it',
    ]);
  });

  it('seal nothing where there are none', async () => {
    expect((await ring({})).problem).toBe('Secret keys has no entry with a key, such as 1.agekey: restore it');
  });

  it('are not read from bytes that are no text', async () => {
    const data = new Map([['1.agekey', SecretValue.fromBytes(Uint8Array.from([0xff]))]]);
    expect((await ringOf({ data }, 'Secret keys', 'restore it')).problem).toContain('no age key in 1.agekey');
  });
});
