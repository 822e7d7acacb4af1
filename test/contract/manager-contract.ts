import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManagerError, type ManagerErrorReason } from '../../src/managers/errors.ts';
import type { AccessedVersion, AccessResult, SecretManager, Selector } from '../../src/managers/manager.ts';
import { SecretValue } from '../../src/managers/secret-value.ts';

/** A manager under test, and what only its backend's own tools can do. */
export interface ManagerUnderTest {
  readonly manager: SecretManager;
  /** An id in the manager's own form that no version has. */
  readonly unknownVersion: string;
  /** The stage of the version before latest. */
  readonly previousStage: string;
  /** Gives a secret tags; makes it, without a version, where it does not exist. */
  tag(secret: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** The same backend as somebody sees it who may read one of two secrets that there are, and not the other. The suite closes it. */
  allowOnly(granted: string, denied: string): Promise<SecretManager>;
}

const latest: Selector = { kind: 'latest' };
const never = new AbortController().signal;

/** What every secret manager must do. `setup` is called once; secrets get names that no other run uses. */
export function describeManagerContract(name: string, setup: () => Promise<ManagerUnderTest>): void {
  describe(`${name} keeps the contract of secret managers:`, () => {
    let subject: ManagerUnderTest;
    const run = randomUUID().slice(0, 8);
    const nameOf = (text: string): string => `contract-${run}/${text}`;

    const put = (secret: string, value: string): Promise<string> =>
      subject.manager.put(secret, SecretValue.fromString(value), never);
    const access = async (secret: string, ...selectors: readonly Selector[]): Promise<readonly AccessResult[]> =>
      subject.manager.access(
        selectors.map((selector) => ({ secret, selector })),
        never,
      );
    const read = async (secret: string, selector = latest): Promise<AccessedVersion> =>
      accessed((await access(secret, selector))[0]);

    const find = async (prefix: string, tags: Record<string, string>): Promise<readonly string[]> => {
      const found = await subject.manager.list({ prefix: nameOf(prefix), tags: new Map(Object.entries(tags)) }, never);
      return found.map(({ secret }) => secret.slice(nameOf('').length)).toSorted();
    };

    beforeAll(async () => {
      subject = await setup();
    });
    afterAll(() => subject.manager.close());

    it('what is put is latest, under the id that put gave', async () => {
      const secret = nameOf('put');
      const version = await put(secret, 'one');
      const found = await read(secret);
      expect([found.version, found.value.asString()]).toEqual([version, 'one']);
    });

    it('a second put becomes latest and leaves the first version as it was', async () => {
      const secret = nameOf('put-twice');
      const first = await put(secret, 'one');
      const before = await read(secret);
      const second = await put(secret, 'two');
      const now = await read(secret);
      const pinned = await read(secret, { kind: 'version', version: first });
      expect([now.version, now.value.asString()]).toEqual([second, 'two']);
      expect([pinned.version, pinned.value.asString()]).toEqual([first, 'one']);
      expect(pinned.identity).toBe(before.identity);
      expect(now.identity).not.toBe(before.identity);
    });

    it('an identity starts with the id and differs between secrets', async () => {
      const [a, b] = [nameOf('identity-a'), nameOf('identity-b')];
      await Promise.all([put(a, 'same'), put(b, 'same')]);
      const [one, two] = [await read(a), await read(b)];
      expect(one.identity.startsWith(`${one.version}@`)).toBe(true);
      expect(one.identity).not.toBe(two.identity);
    });

    it.each(['UPPER_CASE', 'with.dots', 'a/b/c', 'under_score-dash'])('the name %s works', async (text) => {
      await put(nameOf(text), text);
      expect((await read(nameOf(text))).value.asString()).toBe(text);
    });

    it.each([
      ['bytes that are no text', Uint8Array.from([0, 255, 254, 128, 10])],
      ['one zero byte', Uint8Array.from([0])],
      ['a byte order mark', Uint8Array.from([0xef, 0xbb, 0xbf, 0x61])],
      ['line ends', new TextEncoder().encode('a\r\nb\n')],
      ['characters of many scripts', new TextEncoder().encode('pässwörd 密码 🔑')],
      ['64 KiB of text', new TextEncoder().encode('x'.repeat(65_536))],
      ['64 KiB of bytes', new Uint8Array(65_536).fill(0xff)],
    ])('%s come back as they were', async (what, bytes) => {
      const secret = nameOf(`bytes-${what.replaceAll(' ', '-')}`);
      await subject.manager.put(secret, SecretValue.fromBytes(bytes), never);
      const { value } = await read(secret);
      expect(value.equals(SecretValue.fromBytes(bytes))).toBe(true);
    });

    it('an empty value is refused, and makes no secret', async () => {
      const secret = nameOf('empty');
      await expectReason(put(secret, ''), 'InvalidValue');
      expect(reasons(await access(secret, latest))).toEqual(['SecretNotFound']);
    });

    it('a value of more than 64 KiB is refused', async () => {
      await expect(put(nameOf('large'), 'x'.repeat(65_537))).rejects.toMatchObject({ reason: 'LimitExceeded' });
    });

    it('a secret that does not exist is not found, by any selector', async () => {
      const selectors: readonly Selector[] = [latest, { kind: 'version', version: subject.unknownVersion }];
      const found = await Promise.all(selectors.map((selector) => access(nameOf('missing'), selector)));
      expect(found.flatMap(reasons)).toEqual(['SecretNotFound', 'SecretNotFound']);
    });

    it('a version that does not exist is told from a secret that does not', async () => {
      const secret = nameOf('version-missing');
      await put(secret, 'one');
      expect(reasons(await access(secret, { kind: 'version', version: subject.unknownVersion }))).toEqual([
        'VersionNotFound',
      ]);
    });

    it('a secret without a version says so, alone and among others', async () => {
      const [bare, full] = [nameOf('bare'), nameOf('full')];
      await subject.tag(bare, { any: 'tag' });
      await put(full, 'one');
      const both = [bare, full].map((secret) => ({ secret, selector: latest }));
      expect(reasons(await access(bare, latest))).toEqual(['NoVersion']);
      expect(reasons(await subject.manager.access(both, never))).toEqual(['NoVersion', 'one']);
    });

    it('results come in the order of the selections, duplicates and failures among them', async () => {
      const [a, b] = [nameOf('order-a'), nameOf('order-b')];
      await Promise.all([put(a, 'A'), put(b, 'B')]);
      const asked = [b, nameOf('order-missing'), a, b, a].map((secret) => ({ secret, selector: latest }));
      expect(reasons(await subject.manager.access(asked, never))).toEqual(['B', 'SecretNotFound', 'A', 'B', 'A']);
    });

    it('nothing asked is nothing answered', async () => {
      expect(await subject.manager.access([], never)).toEqual([]);
    });

    it('a batch of many secrets is complete', async () => {
      const names = Array.from({ length: 45 }, (_, index) => nameOf(`many-${index}`));
      for (const secret of names) await put(secret, secret);
      const found = await subject.manager.access(
        names.map((secret) => ({ secret, selector: latest })),
        never,
      );
      expect(reasons(found)).toEqual(names);
    });

    it('latest and a stage show one moment, whatever is put meanwhile', async () => {
      const secret = nameOf('moment');
      await put(secret, '0');
      await put(secret, '1');
      const rounds = Array.from({ length: 10 }, (_, index) => String(index + 2));
      const written = rounds.reduce(async (before, value) => {
        await before;
        await put(secret, value);
      }, Promise.resolve());
      const pairs = rounds.map(async () => {
        const found = await access(secret, latest, { kind: 'stage', stage: subject.previousStage });
        return found.map((result) => Number(accessed(result).value.asString()));
      });
      const read = await Promise.all(pairs);
      await written;
      const torn = read.filter(([now, before]) => now !== (before ?? Number.NaN) + 1);
      expect(torn).toEqual([]);
    });

    it('a stage that no version has is a version that is not found', async () => {
      const secret = nameOf('stage-missing');
      await put(secret, 'one');
      const stage: Selector = { kind: 'stage', stage: subject.previousStage };
      expect(reasons(await access(secret, stage))).toEqual(['VersionNotFound']);
      expect(reasons(await access(secret, stage, latest))).toEqual(['VersionNotFound', 'one']);
    });

    it('a read that is denied says so, by any selector, and holds up no other', async () => {
      const [granted, denied] = [nameOf('granted'), nameOf('denied')];
      await put(granted, 'one');
      const version = await put(denied, 'two');
      const manager = await subject.allowOnly(granted, denied);
      const asked = [
        { secret: denied, selector: latest },
        { secret: granted, selector: latest },
        { secret: denied, selector: { kind: 'version', version } },
      ] as const;
      const found = await manager.access(asked, never);
      const alone = await manager.access(asked.slice(0, 1), never);
      manager.close();
      expect(reasons(found)).toEqual(['AccessDenied', 'one', 'AccessDenied']);
      expect(reasons(alone)).toEqual(['AccessDenied']);
      expect([...found, ...alone].filter((result) => result instanceof ManagerError && result.transient)).toEqual([]);
    });

    it('a find takes prefix and tags exactly, each key with its own value', async () => {
      const tagged: Record<string, Record<string, string>> = {
        'find/a': { team: 'shop', tier: 'gold' },
        'find/b': { team: 'shopping', tier: 'gold' },
        'find/c': { team: 'gold', tier: 'shop' },
        'find/d': { Team: 'shop', tier: 'gold' },
        'finder/e': { team: 'shop', tier: 'gold' },
        'other/find/f': { team: 'shop', tier: 'gold' },
      };
      for (const [text, tags] of Object.entries(tagged)) await subject.tag(nameOf(text), tags);
      expect(await find('find/', {})).toEqual(['find/a', 'find/b', 'find/c', 'find/d']);
      expect(await find('find', { team: 'shop' })).toEqual(['find/a', 'finder/e']);
      expect(await find('find/', { team: 'shop', tier: 'gold' })).toEqual(['find/a']);
      expect(await find('find/', { tier: 'gold', team: 'shopping' })).toEqual(['find/b']);
      expect(await find('!find/', {})).toEqual([]);
      expect(await find('nowhere', {})).toEqual([]);
    });

    it('a find gives the tags of what it found', async () => {
      await subject.tag(nameOf('tags-shown'), { team: 'shop', empty: '' });
      const [found] = await subject.manager.list({ prefix: nameOf('tags-shown'), tags: new Map() }, never);
      expect(Object.fromEntries(found?.tags ?? [])).toEqual({ team: 'shop', empty: '' });
    });

    it('a list of more than a page is complete', async () => {
      const names = Array.from({ length: 120 }, (_, index) => nameOf(`page/${String(index).padStart(3, '0')}`));
      for (const secret of names) await subject.tag(secret, { any: 'tag' });
      const found = await subject.manager.list({ prefix: nameOf('page/'), tags: new Map() }, never);
      expect(found.map(({ secret }) => secret).toSorted()).toEqual(names);
    });

    it('one secret is described without its value, a missing one is not found', async () => {
      await subject.tag(nameOf('described'), { team: 'shop' });
      const found = await subject.manager.describe(nameOf('described'), never);
      expect([found.secret, Object.fromEntries(found.tags)]).toEqual([nameOf('described'), { team: 'shop' }]);
      await expectReason(subject.manager.describe(nameOf('not-described'), never), 'SecretNotFound');
    });

    it('versions are listed newest first and can each be read', async () => {
      const secret = nameOf('versions');
      const ids: string[] = [];
      for (const value of ['one', 'two', 'three', 'four']) ids.unshift(await put(secret, value));
      const listed = await subject.manager.versions(secret, never);
      expect(listed.map(({ version }) => version)).toEqual(ids);
      expect(listed[1]?.stages).toEqual([subject.previousStage]);
      const values = await access(secret, ...ids.map((version): Selector => ({ kind: 'version', version })));
      expect(reasons(values)).toEqual(['four', 'three', 'two', 'one']);
    });

    it('an aborted call rejects with the reason of its signal', async () => {
      const { manager } = subject;
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      const calls = [
        manager.access([{ secret: nameOf('abort'), selector: latest }], signal),
        manager.list({ prefix: nameOf('abort'), tags: new Map() }, signal),
        manager.describe(nameOf('abort'), signal),
        manager.put(nameOf('abort'), SecretValue.fromString('x'), signal),
      ];
      for (const call of calls) await expect(call).rejects.toBe(reason);
      expect(reasons(await access(nameOf('abort'), latest))).toEqual(['SecretNotFound']);
    });

    it('the identity is what the backend takes us for', async () => {
      expect((await subject.manager.identity(never)).length).toBeGreaterThan(0);
    });
  });
}

function accessed(result: AccessResult | undefined): AccessedVersion {
  if (result === undefined) throw new Error('there is no result');
  if (result instanceof ManagerError) throw result;
  return result;
}

/** What came of each selection: the value, or the reason of the error. */
export function reasons(results: readonly AccessResult[]): readonly string[] {
  return results.map((result) => (result instanceof ManagerError ? result.reason : result.value.asString()));
}

export async function expectReason(call: Promise<unknown>, reason: ManagerErrorReason): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: 'ManagerError', reason });
}
