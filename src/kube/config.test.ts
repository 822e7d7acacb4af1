import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFakeClock, type FakeClock } from '../runtime/fake-clock.ts';
import { KubeConfigError, type KubeServer, loadKubeServer } from './config.ts';

const ca = Buffer.from('the CA').toString('base64');

describe('the kubeconfig', () => {
  let dir: string;
  let clock: FakeClock;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
    clock = createFakeClock();
  });

  afterEach(async () => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
    await rm(dir, { recursive: true });
  });

  async function load(
    parts: { cluster?: Record<string, unknown>; user?: unknown; context?: Record<string, unknown> } = {},
    context?: string,
  ): Promise<KubeServer> {
    const cluster = { server: 'https://cluster:6443', 'certificate-authority-data': ca, ...parts.cluster };
    const config = {
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: parts.user ?? { token: 'abc' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...parts.context } }],
      'current-context': 'x',
    };
    return loadKubeServer({ kubeconfig: await write('config', JSON.stringify(config)), context, clock });
  }

  async function write(name: string, content: string): Promise<string> {
    const path = join(dir, name);
    await writeFile(path, content);
    return path;
  }

  it('gives the server, the namespace, the CA and the token', async () => {
    const server = await load({ context: { namespace: 'shop' } });

    expect(server).toMatchObject({ url: 'https://cluster:6443', namespace: 'shop' });
    expect(await server.credentials()).toEqual({ headers: { Authorization: 'Bearer abc' }, tls: { ca: 'the CA' } });
  });

  it('gives a client certificate and the name that the server has to prove', async () => {
    const user = { 'client-certificate-data': btoa('the cert'), 'client-key-data': btoa('the key') };
    const server = await load({ user, cluster: { 'tls-server-name': 'api.internal' } });

    expect(await server.credentials()).toEqual({
      headers: {},
      tls: { ca: 'the CA', cert: 'the cert', key: 'the key', servername: 'api.internal' },
    });
  });

  it('reads a token from a file again, so that a rotated one is used', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    const tokenFile = await write('token', 'first\n');
    const server = await load({ user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } });
    const before = await server.credentials();

    await write('token', 'second\n');
    vi.setSystemTime(61_000);
    await clock.advance(61_000);
    const after = await server.credentials();

    expect(before.headers).toEqual({ Authorization: 'Bearer first' });
    expect(after.headers).toEqual({ Authorization: 'Bearer second' });
  });

  it('reads a client certificate from a file again after a while', async () => {
    const certificate = await write('cert.pem', 'old');
    const user = { 'client-certificate': certificate, 'client-key-data': btoa('key') };
    const server = await load({ user });
    const before = await server.credentials();

    await write('cert.pem', 'new');
    const soon = await server.credentials();
    await clock.advance(10_000);
    const later = await server.credentials();

    expect([before, soon, later].map(({ tls }) => tls.cert)).toEqual(['old', 'old', 'new']);
  });

  it('runs the credential plugin that it names', async () => {
    const credential = { kind: 'ExecCredential', status: { token: 'from-plugin' } };
    const user = { exec: { command: process.execPath, args: ['-e', `console.log('${JSON.stringify(credential)}')`] } };
    const server = await load({ user });

    expect((await server.credentials()).headers).toEqual({ Authorization: 'Bearer from-plugin' });
  });

  it('asks a plugin that failed again', async () => {
    const flag = join(dir, 'flag');
    const script = `require('fs').existsSync('${flag}') ? console.log('{"status":{"token":"t"}}') : process.exit(1)`;
    const server = await load({ user: { exec: { command: process.execPath, args: ['-e', script] } } });
    await expect(server.credentials()).rejects.toBeInstanceOf(Error);

    await write('flag', '');

    expect((await server.credentials()).headers).toEqual({ Authorization: 'Bearer t' });
  });

  it.each([
    ['a server that is not verified', { 'insecure-skip-tls-verify': true }, 'insecure-skip-tls-verify'],
    ['a server without TLS', { server: 'http://cluster:8080' }, 'https://'],
    [
      'a proxy that speaks no HTTP',
      { 'proxy-url': 'socks5://jane:pw@proxy:1080' },
      'of the kind socks5://: it has to be',
    ],
    ['a proxy that is no URL', { 'proxy-url': 'proxy' }, 'no URL'],
  ])('refuses %s and says what to change', async (_, cluster, message) => {
    await expect(load({ cluster })).rejects.toThrow(KubeConfigError);
    await expect(load({ cluster })).rejects.toThrow(message);
  });

  it('gives the proxy', async () => {
    const { proxy } = await load({ cluster: { 'proxy-url': 'http://jane:pw@proxy:3128' } });

    expect(proxy?.href).toBe('http://jane:pw@proxy:3128/');
    expect((await load()).proxy).toBeUndefined();
  });

  it('takes the token of an OIDC provider while it is valid', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'RS256' })}.${part({ exp: Math.floor(Date.now() / 1000) + 3600 })}.c2ln`;
    const provider = { 'client-id': 'kubernetes', 'idp-issuer-url': 'https://issuer.example', 'id-token': token };
    const server = await load({ user: { 'auth-provider': { name: 'oidc', config: provider } } });

    expect((await server.credentials()).headers).toEqual({ Authorization: `Bearer ${token}` });
  });

  it('finds the API server from inside a pod', () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', 'fd00::1');
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');

    expect(loadKubeServer({ clock }).url).toBe('https://[fd00::1]:443');
  });

  it('says what to do where there is neither a kubeconfig nor a pod', () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);

    expect(() => loadKubeServer({ clock })).toThrow('set KUBECONFIG, or run in a pod');
  });

  it('refuses a context that does not exist', async () => {
    await expect(load({}, 'typo')).rejects.toThrow('"typo"');
  });

  it('says that a file is missing', () => {
    const kubeconfig = join(dir, 'missing');

    expect(() => loadKubeServer({ kubeconfig, clock })).toThrow(`cannot read ${kubeconfig}: ENOENT`);
  });

  it('does not quote a file that it can not parse', async () => {
    const kubeconfig = await write('broken', 'users: [{token: "canary');

    expect(() => loadKubeServer({ kubeconfig, clock })).toThrow(/^(?!.*canary).*not a valid kubeconfig$/);
  });
});
