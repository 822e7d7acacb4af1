import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkFingerprintForm, checkKnownKey, fingerprintOf, isFingerprintOf, trustKey } from './known-keys.ts';

const key = { cluster: 'uid-1', server: 'https://one', publicKey: 'age1one' };
const file = 'known-keys.json';
let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'keyferry-keys-'));
  folder = join(root, 'keyferry');
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("security rule 20: a cluster's key", () => {
  it('is remembered the first time, for its owner alone, and known again', async () => {
    await checkKnownKey(folder, key, 0);
    await checkKnownKey(folder, key, 1);

    const { clusters } = JSON.parse(await readFile(join(folder, file), 'utf8'));
    expect(clusters).toEqual({
      'uid-1': { fingerprint: fingerprintOf('age1one'), server: 'https://one', since: '1970-01-01T00:00:00.000Z' },
    });
    expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  });

  it('that changes is refused with both fingerprints and how to accept it, until it is trusted', async () => {
    const changed = { ...key, publicKey: 'age1two' };
    await checkKnownKey(folder, key, 0);

    const refusal = checkKnownKey(folder, changed, 0);
    await expect(refusal).rejects.toThrow(fingerprintOf('age1one'));
    await expect(refusal).rejects.toThrow(fingerprintOf('age1two'));
    await expect(refusal).rejects.toThrow('keyferry keys trust');

    await trustKey(folder, changed, 0);
    await expect(checkKnownKey(folder, changed, 0)).resolves.toBeUndefined();
    await expect(checkKnownKey(folder, key, 0)).rejects.toThrow('has changed');
  });

  it('of another cluster at the same address is refused too: a uid is as easily published as a key', async () => {
    const other = { ...key, cluster: 'uid-2', publicKey: 'age1two' };
    await checkKnownKey(folder, key, 0);

    await expect(checkKnownKey(folder, other, 0)).rejects.toThrow('another cluster');

    await trustKey(folder, other, 0);
    await expect(checkKnownKey(folder, other, 0)).resolves.toBeUndefined();
  });

  it('of another cluster at another address is one more', async () => {
    await checkKnownKey(folder, key, 0);
    await checkKnownKey(folder, { cluster: 'uid-2', server: 'https://two', publicKey: 'age1two' }, 0);
    await expect(checkKnownKey(folder, key, 0)).resolves.toBeUndefined();
  });

  it('is not taken for known where the file is damaged', async () => {
    await checkKnownKey(folder, key, 0);
    await writeFile(join(folder, file), '{"v":1');
    await expect(checkKnownKey(folder, key, 0)).rejects.toThrow('is damaged');
  });
});

describe('what an administrator says of a key', () => {
  const publicKey = `age1${'q'.repeat(58)}`;
  const another = `age1${'p'.repeat(58)}`;

  it.each([fingerprintOf(publicKey), `${fingerprintOf(publicKey)}=`, publicKey])('may be %s', (text) => {
    expect(() => checkFingerprintForm(text)).not.toThrow();
    expect(isFingerprintOf(text, publicKey)).toBe(true);
    expect(isFingerprintOf(text, another)).toBe(false);
  });

  it.each([
    ['without what it is', fingerprintOf(publicKey).replace('SHA256:', '')],
    ['cut short', fingerprintOf(publicKey).slice(0, -1)],
    ['a public key cut short', publicKey.slice(0, -1)],
    ['nothing', ''],
  ])('that is %s is called malformed, and not the one of another key', (_what, text) => {
    expect(() => checkFingerprintForm(text)).toThrow('what was given is neither');
  });
});
