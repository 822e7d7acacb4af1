import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../cluster/command.ts';
import { type Log, withProgress } from '../../cluster/progress.ts';
import { root } from '../root.ts';
import type { BaseImages } from './bases.ts';
import { buildah, hasImage } from './buildah.ts';
import { pauseImage } from './names.ts';

/** Certificates of a proxy in between: `npm ci` in the image's build stage needs them where the machine does. */
const certificates = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Sees to it that the images that others are built on are there: pulled where a registry answers, else made of Debian's packages and
 * the Node of node_modules, under the same names. Those made here never leave this machine.
 */
export async function ensureBases({ node, base }: BaseImages, log: Log): Promise<void> {
  const makers = [
    [node, makeNodeImage],
    [base, makeBaseImage],
  ] as const;
  for (const [name, make] of makers) {
    if ((await hasImage(name)) || (await pull(name, log))) continue;
    await withProgress(`Making a stand-in for ${name} of Debian's packages`, log, () =>
      inFolder((dir) => make(name, dir)),
    );
  }
  if (!(await hasImage(pauseImage))) await inFolder(makePauseImage);
}

async function pull(name: string, log: Log): Promise<boolean> {
  const registry = name.split('/')[0] ?? '';
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const answers = await fetch(`https://${host}/v2/`, { signal: AbortSignal.timeout(8_000) }).then(
    async (answer) => {
      await answer.body?.cancel();
      return true;
    },
    () => false,
  );
  if (!answers) return false;
  return withProgress(`Pulling ${name}`, log, () => buildah(['pull', '--quiet', name])).then(
    () => true,
    () => false,
  );
}

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'keyferry-image-'));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Debian with Node and npm. */
async function makeNodeImage(name: string, dir: string): Promise<void> {
  await runCommand('mmdebstrap', ['--variant=minbase', '--quiet', 'bookworm', join(dir, 'debian.tar')]);
  const local = join(dir, 'rootfs', 'usr', 'local');
  await mkdir(join(local, 'bin'), { recursive: true });
  await mkdir(join(local, 'lib', 'node_modules'), { recursive: true });
  await cp(join(root, 'node_modules', 'node', 'bin', 'node'), join(local, 'bin', 'node'));
  const modules = (await runCommand('npm', ['root', '--global'])).trim();
  await cp(join(modules, 'npm'), join(local, 'lib', 'node_modules', 'npm'), { recursive: true, dereference: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(local, 'bin', 'npm'));
  await cp(certificates, join(dir, 'rootfs', 'host-certificates.crt'), { dereference: true });
  await build(name, dir, [
    'ADD debian.tar /',
    'COPY rootfs/ /',
    'ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin NODE_EXTRA_CA_CERTS=/host-certificates.crt',
  ]);
}

/** The C and C++ libraries that Node needs, and nothing that could be run. */
async function makeBaseImage(name: string, dir: string): Promise<void> {
  const rootfs = join(dir, 'rootfs');
  await unpackDebs(['libc6', 'libgcc-s1', 'libstdc++6'], dir, rootfs);
  await rm(join(rootfs, 'usr', 'share'), { recursive: true, force: true });
  for (const folder of ['etc', 'tmp', 'home/nonroot']) await mkdir(join(rootfs, folder), { recursive: true });
  await writeFile(join(rootfs, 'etc', 'passwd'), 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n');
  await writeFile(join(rootfs, 'etc', 'group'), 'nonroot:x:65532:\n');
  await build(name, dir, ['COPY rootfs/ /', 'USER 65532:65532']);
}

async function makePauseImage(dir: string): Promise<void> {
  await unpackDebs(['busybox-static'], dir, join(dir, 'rootfs'));
  const command = [
    '/bin/busybox',
    'sh',
    '-c',
    'trap "exit 0" TERM INT; while :; do /bin/busybox sleep 86400 & wait; done',
  ];
  await build(pauseImage, dir, [
    'COPY rootfs/bin/busybox /bin/busybox',
    'USER 65535:65535',
    `ENTRYPOINT ${JSON.stringify(command)}`,
  ]);
}

async function unpackDebs(packages: readonly string[], dir: string, into: string): Promise<void> {
  const debs = join(dir, 'debs');
  await mkdir(debs, { recursive: true });
  await mkdir(into, { recursive: true });
  await runCommand('apt-get', ['download', '-q', ...packages], { cwd: debs });
  for (const deb of await readdir(debs)) await runCommand('dpkg-deb', ['--extract', join(debs, deb), into]);
}

async function build(name: string, dir: string, steps: readonly string[]): Promise<void> {
  const file = join(dir, 'Dockerfile');
  await writeFile(file, ['FROM scratch', ...steps, ''].join('\n'));
  await buildah(['bud', '--quiet', '--file', file, '--tag', name, dir]);
}
