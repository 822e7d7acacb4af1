import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { arch, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureBinaries } from './binaries.ts';
import { runCommand } from './command.ts';
import { downloadBinary, ReleaseUnavailable, releaseOf } from './download.ts';
import { freePorts } from './ports.ts';
import { etcdVersion, kubernetesVersion } from './versions.ts';

const cpu = arch() === 'x64' ? 'amd64' : arch();
const kubectlPath = `/${kubernetesVersion}/bin/${platform()}/${cpu}/kubectl`;
const quiet = (): void => undefined;

let dir: string;
let files: Map<string, Buffer>;
let server: Server;
let env: { KEYFERRY_RELEASES_URL: string; KEYFERRY_ETCD_RELEASES_URL: string; XDG_CACHE_HOME: string };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keyferry-download-'));
  files = new Map();
  server = createServer((request, response) => {
    const body = files.get(request.url ?? '');
    response.statusCode = body === undefined ? 404 : 200;
    response.end(body);
  });
  const [port] = await freePorts(1);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${port}`;
  env = { KEYFERRY_RELEASES_URL: url, KEYFERRY_ETCD_RELEASES_URL: url, XDG_CACHE_HOME: join(dir, 'cache') };
});

afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await rm(dir, { recursive: true, force: true });
});

describe('downloading a release', () => {
  test('installs a file whose checksum is the published one, as an executable', async () => {
    publish(kubectlPath, 'the real thing');
    const target = join(dir, 'bin', 'kubectl');

    await downloadBinary(releaseOf('kubectl', env), target, quiet);

    expect(await readFile(target, 'utf8')).toBe('the real thing');
    expect((await stat(target)).mode & 0o777).toBe(0o755);
    expect(await readdir(join(dir, 'bin'))).toEqual(['kubectl']);
  });

  test('installs nothing when the checksum differs, and says so', async () => {
    publish(kubectlPath, 'the real thing');
    files.set(kubectlPath, Buffer.from('something else'));

    const attempt = downloadBinary(releaseOf('kubectl', env), join(dir, 'bin', 'kubectl'), quiet);

    await expect(attempt).rejects.toThrow(/has the SHA-256 .* was published\. It was not installed/);
    await expect(attempt).rejects.not.toBeInstanceOf(ReleaseUnavailable);
    expect(await readdir(join(dir, 'bin'))).toEqual([]);
  });

  test('takes the server of an archive as of one file', async () => {
    const folder = `etcd-${etcdVersion}-${platform()}-${cpu}`;
    await mkdir(join(dir, folder));
    await writeFile(join(dir, folder, 'etcd'), 'the store');
    await runCommand('tar', ['-czf', join(dir, 'etcd.tar.gz'), '-C', dir, folder]);
    const archive = await readFile(join(dir, 'etcd.tar.gz'));
    files.set(`/${etcdVersion}/${folder}.tar.gz`, archive);
    const others = `${sha256('x')}  etcd-${etcdVersion}-darwin-arm64.zip\n`;
    files.set(`/${etcdVersion}/SHA256SUMS`, Buffer.from(`${others}${sha256(archive)}  ${folder}.tar.gz\n`));
    const target = join(dir, 'bin', 'etcd');

    await downloadBinary(releaseOf('etcd', env), target, quiet);

    expect(await readFile(target, 'utf8')).toBe('the store');
    expect(await readdir(join(dir, 'bin'))).toEqual(['etcd']);
  });

  test.each([
    { name: 'a file that is not there', prepare: () => files.clear(), message: 'answered HTTP 404' },
    {
      name: 'a page in place of a checksum',
      prepare: () => files.set(`${kubectlPath}.sha256`, Buffer.from('<html>Sign in</html>')),
      message: 'holds no SHA-256 for kubectl',
    },
    { name: 'a server that is not there', prepare: () => server.close(), message: /is out of reach \(.*ECONNREFUSED/ },
  ])('counts $name as unavailable', async ({ prepare, message }) => {
    prepare();

    const attempt = downloadBinary(releaseOf('kubectl', env), join(dir, 'kubectl'), quiet);

    await expect(attempt).rejects.toBeInstanceOf(ReleaseUnavailable);
    await expect(attempt).rejects.toThrow(message);
  });

  test('counts a download that breaks off as unavailable, and leaves nothing behind', async () => {
    publish(kubectlPath, 'the real thing');
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      if (request.url?.endsWith('.sha256') === true) {
        response.end(sha256('the real thing'));
        return;
      }
      response.writeHead(200, { 'content-length': 100 });
      response.write('the re', () => response.destroy());
    });

    const attempt = downloadBinary(releaseOf('kubectl', env), join(dir, 'bin', 'kubectl'), quiet);

    await expect(attempt).rejects.toBeInstanceOf(ReleaseUnavailable);
    expect(await readdir(join(dir, 'bin'))).toEqual([]);
  });
});

describe('finding binaries', () => {
  test('takes each from KUBEBUILDER_ASSETS, then the cache, then a release, then a build', async () => {
    const assets = join(dir, 'assets');
    const cache = join(env.XDG_CACHE_HOME, 'keyferry', 'assets');
    await executable(join(assets, 'etcd'));
    await executable(join(cache, `etcd-${etcdVersion}`, 'etcd'));
    await executable(join(cache, `kubernetes-${kubernetesVersion}`, 'kube-apiserver'));
    publish(kubectlPath, 'released');
    const built: string[] = [];

    const binaries = await ensureBinaries({
      env: { ...env, KUBEBUILDER_ASSETS: assets },
      log: quiet,
      build: async (name) => {
        built.push(name);
      },
    });

    expect(binaries.etcd).toBe(join(assets, 'etcd'));
    expect(binaries['kube-apiserver']).toBe(join(cache, `kubernetes-${kubernetesVersion}`, 'kube-apiserver'));
    expect(await readFile(binaries.kubectl, 'utf8')).toBe('released');
    expect(built).toEqual(['kube-controller-manager', 'kube-scheduler']);
  });

  test('says in one line that releases are out of reach, and asks no second time', async () => {
    server.close();
    server.closeAllConnections();
    const lines: string[] = [];

    await ensureBinaries({
      env: { ...env, KEYFERRY_ETCD_RELEASES_URL: env.KEYFERRY_RELEASES_URL },
      log: (line) => lines.push(line),
      build: async () => undefined,
    });

    expect(lines).toEqual([expect.stringMatching(/^No download of etcd: .* is out of reach/)]);
  });

  test('does not build what has a wrong checksum', async () => {
    publish(kubectlPath, 'the real thing');
    files.set(kubectlPath, Buffer.from('something else'));
    const built: string[] = [];

    const attempt = ensureBinaries({
      env,
      log: quiet,
      build: async (name) => {
        built.push(name);
      },
    });

    await expect(attempt).rejects.toThrow('has the SHA-256');
    expect(built).toEqual(['etcd']);
  });
});

function publish(path: string, content: string): void {
  files.set(path, Buffer.from(content));
  files.set(`${path}.sha256`, Buffer.from(sha256(content)));
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function executable(path: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, '', { mode: 0o755 });
}
