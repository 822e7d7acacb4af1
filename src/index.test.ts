import { describe, expect, it } from 'vitest';
import { createMemoryManager } from '../test/contract/memory-manager.ts';
import { awsManager, embeddedManager, keyferry, ManagerError, type SecretManager, SecretValue } from './index.ts';

describe('the library', () => {
  it('puts a value and reads it as latest, by its id and by its stage', async () => {
    const { secret } = keyferry(createMemoryManager());
    const first = await secret('db.password').put('one');
    const second = await secret('db.password').put(new TextEncoder().encode('two'));
    expect([first, second]).toEqual([
      { secret: 'db.password', version: '1' },
      { secret: 'db.password', version: '2' },
    ]);
    expect((await secret('db.password').latest().access()).asString()).toBe('two');
    expect((await secret('db.password').version('1').access()).asString()).toBe('one');
    expect((await secret('db.password').stage('previous').access()).asString()).toBe('one');
  });

  it('tells which version latest is', async () => {
    const { secret } = keyferry(createMemoryManager());
    await secret('db').put('one');
    await secret('db').put(SecretValue.fromString('two'));
    const found = await secret('db').latest().resolve();
    expect([found.secret, found.version, found.value.asString()]).toEqual(['db', '2', 'two']);
  });

  it('shows no value in what it returns', async () => {
    const { secret } = keyferry(createMemoryManager());
    await secret('db').put('canary');
    expect(JSON.stringify(await secret('db').latest().resolve())).toBe(
      '{"secret":"db","version":"1","value":"[redacted]"}',
    );
  });

  it('rejects with the typed error of the manager', async () => {
    const { secret } = keyferry(createMemoryManager());
    await expect(secret('missing').latest().access()).rejects.toMatchObject({ reason: 'SecretNotFound' });
    await expect(secret('missing').latest().access()).rejects.toBeInstanceOf(ManagerError);
  });

  it.each(['', 'a/../b', 'a//b', 'a/', 'a\nb', 'x'.repeat(2049)])('refuses the name %j', (name) => {
    expect(() => keyferry(createMemoryManager()).secret(name)).toThrow(/^no secret can have this name/);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['an empty text', '', 'InvalidValue'],
    ['no bytes', new Uint8Array(), 'InvalidValue'],
    ['half a character', '\ud800', 'InvalidValue'],
    ['more than 64 KiB', 'x'.repeat(65_537), 'LimitExceeded'],
    ['characters of more than 64 KiB', 'ü'.repeat(32_769), 'LimitExceeded'],
  ])('refuses to put %s', async (_, value, reason) => {
    await expect(keyferry(createMemoryManager()).secret('db').put(value)).rejects.toMatchObject({ reason });
  });

  it('passes the signal on', async () => {
    const { secret } = keyferry(createMemoryManager());
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(secret('db').put('x', { signal })).rejects.toBe(reason);
    await expect(secret('db').latest().access({ signal })).rejects.toBe(reason);
  });

  it('does not take an empty answer for a value', async () => {
    const mute: SecretManager = { ...createMemoryManager(), access: () => Promise.resolve([]) };
    await expect(keyferry(mute).secret('db').latest().access()).rejects.toMatchObject({ reason: 'ManagerUnavailable' });
  });

  it('makes an AWS manager without a call', () => {
    const manager = awsManager({ region: 'eu-west-1' });
    expect(manager.capabilities).toEqual({ stages: true, tags: true, put: true, batchSize: 20 });
    manager.close();
  });

  it('says which kubeconfig it can not use for secrets in the cluster', () => {
    expect(() => embeddedManager({ kubeconfig: '/nowhere/kubeconfig' })).toThrow(
      'cannot read /nowhere/kubeconfig: ENOENT',
    );
  });
});
