import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { annotations } from '../../api/v1/names.ts';
import { rawObjectSchema } from '../../kube/object.ts';
import { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { backupOf, backupText, type KeyBackup, parseBackup, restorePlan } from './backup.ts';
import { readBackup, writeBackup } from './backup-file.ts';
import { entryText, type KeySecret, nextEntryName, parseKeySecret, toBase64 } from './key-secret.ts';

let one: SealingKey;
let two: SealingKey;
let folder: string;

beforeAll(async () => {
  [one, two] = await Promise.all([SealingKey.generate(), SealingKey.generate()]);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keys-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function secretOf(texts: Readonly<Record<string, string>>, current?: string): Promise<KeySecret> {
  const notes = current === undefined ? {} : { [annotations.currentKey]: current };
  const metadata = { name: 'k', namespace: 'keyferry', uid: 'u', resourceVersion: '1', annotations: notes };
  const data = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, toBase64(text)]));
  const parsed = await parseKeySecret(rawObjectSchema.parse({ metadata, data }));
  if (parsed === undefined) throw new Error('no Secret');
  return parsed;
}

function backup(...keys: readonly [string, SealingKey][]): KeyBackup {
  return { entries: keys.map(([name, key]) => ({ name, key })), current: keys.at(-1)?.[0] };
}

describe('the Secret with the keys', () => {
  it('has in use what the annotation names, else the entry current, else the last by number', async () => {
    const texts = { '9.agekey': entryText(one), '10.agekey': entryText(two) };
    expect((await secretOf(texts, '9.agekey')).current?.name).toBe('9.agekey');
    expect((await secretOf({ ...texts, current: '9.agekey\n' })).current?.name).toBe('9.agekey');
    expect((await secretOf(texts)).current?.name).toBe('10.agekey');
  });

  it('gets its next entry above every number that is there', () => {
    expect(nextEntryName([])).toBe('1.agekey');
    expect(nextEntryName([{ name: '2.agekey' }, { name: '10.agekey' }, { name: 'mine.agekey' }])).toBe('11.agekey');
  });
});

describe('a backup', () => {
  it('gives back the keys and which is in use', async () => {
    const secret = await secretOf({ '1.agekey': entryText(one), '2.agekey': entryText(two) }, '1.agekey');
    const read = await parseBackup(backupText(backupOf(secret), 'keyferry', 'today'), 'file');
    expect(read.entries.map(({ name, key }) => [name, key.reveal()])).toEqual([
      ['1.agekey', one.reveal()],
      ['2.agekey', two.reveal()],
    ]);
    expect(read.current).toBe('1.agekey');
  });

  it('is not made of what is broken: it would be worth nothing', async () => {
    const broken = await secretOf({ '1.agekey': 'AGE-SECRET-KEY-1NO' });
    expect(() => backupOf(broken)).toThrow('entry 1.agekey');
    expect(() => backupOf({ ...broken, entries: [] })).toThrow('has no key');
  });

  it.each([
    ['nothing', ''],
    ['no YAML', '{{{ AGE-SECRET-KEY-1CANARY'],
    ['another object', 'kind: ConfigMap'],
    [
      'a key with a slip',
      `kind: Secret\nmetadata: {name: keyferry-sealing-keys}\ndata: {1.agekey: QUdFLVNFQ1JFVC1LRVktMUNBTkFSWQ==}`,
    ],
    [
      'a key under a name that nobody reads',
      'kind: Secret\nmetadata: {name: keyferry-sealing-keys}\ndata: {old: TEXT}',
    ],
    ['no key', 'kind: Secret\nmetadata: {name: keyferry-sealing-keys}\ndata: {}'],
  ])('is not read from %s, and what stands there is not repeated', async (_what, text) => {
    const error = await parseBackup(text.replace('TEXT', toBase64(entryText(one))), 'the file').catch(
      (thrown: unknown) => thrown,
    );
    expect(String(error)).toContain('the file');
    expect(String(error)).not.toMatch(/SECRET-KEY|CANARY/);
  });

  it('is a file that only its owner can read, without anything beside it', async () => {
    const file = join(folder, 'keys.backup');
    const kept = backup(['1.agekey', one]);
    await writeBackup(file, backupText(kept, 'keyferry', 'today'), kept);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['keys.backup']);
    expect((await readBackup(file)).entries[0]?.key.publicKey).toBe(one.publicKey);
  });

  it('is never written into what somebody else has laid there, and leaves no draft where it fails', async () => {
    const file = join(folder, 'keys.backup');
    const theirs = join(folder, 'theirs');
    await writeFile(theirs, '', { mode: 0o666 });
    await symlink(theirs, `${file}.new`);
    const kept = backup(['1.agekey', one]);
    await writeBackup(file, backupText(kept, 'keyferry', 'today'), kept);
    expect(await readFile(theirs, 'utf8')).toBe('');
    await mkdir(join(folder, 'taken'));
    await expect(writeBackup(join(folder, 'taken'), 'x', kept)).rejects.toThrow('EISDIR');
    expect((await readdir(folder)).toSorted()).toEqual(['keys.backup', 'keys.backup.new', 'taken', 'theirs']);
  });

  it('that can not take its name leaves no keys in another', async () => {
    const kept = backup(['1.agekey', one]);
    const file = join(folder, 'x'.repeat(255));
    await expect(writeBackup(file, 'x', kept)).rejects.toThrow('ENAMETOOLONG');
    expect(await readdir(folder)).toEqual([]);
  });

  it('replaces an older one only where it has every key of it', async () => {
    const file = join(folder, 'keys.backup');
    const [first, both] = [backup(['1.agekey', one]), backup(['1.agekey', one], ['2.agekey', two])];
    await writeBackup(file, backupText(both, 'keyferry', 'today'), both);
    await writeBackup(file, backupText(both, 'keyferry', 'tomorrow'), both);
    await expect(writeBackup(file, 'x', first)).rejects.toThrow('in the cluster no more');
    expect(await readFile(file, 'utf8')).toContain('tomorrow');
  });

  it('replaces no other file', async () => {
    const file = join(folder, 'notes');
    await writeFile(file, 'mine');
    await expect(writeBackup(file, 'x', backup(['1.agekey', one]))).rejects.toThrow('no backup of keys');
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  it('that can not be written says so', async () => {
    const file = join(folder, 'no', 'folder');
    await expect(writeBackup(file, 'x', backup(['1.agekey', one]))).rejects.toThrow('ENOENT');
  });
});

describe('a restore', () => {
  it('into nothing brings all, with the one in use that was', () => {
    const plan = restorePlan({ ...backup(['1.agekey', one], ['2.agekey', two]), current: '1.agekey' }, undefined);
    expect(Object.keys(plan.data)).toEqual(['1.agekey', '2.agekey']);
    expect(plan.current).toBe('1.agekey');
  });

  it('adds to what is there, replaces no key, and leaves in use what is', async () => {
    const there = await secretOf({ '1.agekey': entryText(two) });
    const plan = restorePlan(backup(['1.agekey', one]), there);
    expect(plan.data).toEqual({ '2.agekey': toBase64(entryText(one)) });
    expect(plan.current).toBe('1.agekey');
  });

  it('replaces an entry that is no key', async () => {
    const plan = restorePlan(backup(['1.agekey', one]), await secretOf({ '1.agekey': 'broken' }));
    expect([Object.keys(plan.data), plan.current]).toEqual([['1.agekey'], '1.agekey']);
  });

  it('of what is all there changes nothing', async () => {
    const plan = restorePlan(backup(['7.agekey', one]), await secretOf({ '1.agekey': entryText(one) }));
    expect(plan).toEqual({ data: {}, added: [], present: [one.publicKey], current: '1.agekey' });
  });
});
