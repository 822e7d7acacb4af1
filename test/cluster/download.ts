import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Environment } from './cache.ts';
import { runCommand } from './command.ts';
import { installExecutable } from './draft.ts';
import { type Log, withProgress } from './progress.ts';
import { type BinaryName, corednsVersion, etcdVersion, helmVersion, kubernetesVersion } from './versions.ts';

/** Milliseconds until a server that has not answered counts as out of reach. */
const answerTimeout = 8_000;

/** Milliseconds without a byte after which a download is given up. */
const stallTimeout = 30_000;

/** The release can't be had from here; the message says why. The caller finds another way. */
export class ReleaseUnavailable extends Error {}

/** Its server does not answer at all: asking it for another file is a waste of time. */
export class SourceOutOfReach extends ReleaseUnavailable {}

/** A published file and where its SHA-256 stands. */
export interface Release {
  /** What all files of this publisher have in common; KEYFERRY_RELEASES_URL, KEYFERRY_ETCD_RELEASES_URL, KEYFERRY_HELM_RELEASES_URL and KEYFERRY_COREDNS_RELEASES_URL name mirrors. */
  readonly base: string;
  readonly url: string;
  readonly checksumsUrl: string;
  /** The path of the binary in the file, when that is a tar archive. */
  readonly member: string | undefined;
}

export function releaseOf(name: BinaryName, env: Environment): Release {
  const cpu = arch() === 'x64' ? 'amd64' : arch();
  if (name === 'etcd') {
    const base = env['KEYFERRY_ETCD_RELEASES_URL'] ?? 'https://github.com/etcd-io/etcd/releases/download';
    const folder = `etcd-${etcdVersion}-${platform()}-${cpu}`;
    const directory = `${base}/${etcdVersion}`;
    const url = `${directory}/${folder}.tar.gz`;
    return { base, url, checksumsUrl: `${directory}/SHA256SUMS`, member: `${folder}/etcd` };
  }
  if (name === 'coredns') {
    const base = env['KEYFERRY_COREDNS_RELEASES_URL'] ?? 'https://github.com/coredns/coredns/releases/download';
    const url = `${base}/${corednsVersion}/coredns_${corednsVersion.slice(1)}_${platform()}_${cpu}.tgz`;
    return { base, url, checksumsUrl: `${url}.sha256`, member: 'coredns' };
  }
  if (name === 'helm') {
    const base = env['KEYFERRY_HELM_RELEASES_URL'] ?? 'https://get.helm.sh';
    const url = `${base}/helm-${helmVersion}-${platform()}-${cpu}.tar.gz`;
    return { base, url, checksumsUrl: `${url}.sha256sum`, member: `${platform()}-${cpu}/helm` };
  }
  const base = env['KEYFERRY_RELEASES_URL'] ?? 'https://dl.k8s.io/release';
  const url = `${base}/${kubernetesVersion}/bin/${platform()}/${cpu}/${name}`;
  return { base, url, checksumsUrl: `${url}.sha256`, member: undefined };
}

/**
 * Downloads a release binary to `path`, once its SHA-256 is the published one. Throws `ReleaseUnavailable` when the server is
 * out of reach or has no such file, and another error, having installed nothing, when the checksum differs.
 */
export async function downloadBinary(release: Release, path: string, log: Log): Promise<void> {
  const expected = await publishedChecksum(release);
  await withProgress(`Downloading ${basename(path)} from ${release.base}`, log, (detail) =>
    installExecutable(path, async (draft) => {
      const { member } = release;
      if (member === undefined) {
        await fetchFile(release.url, expected, draft, detail);
        return;
      }
      const archive = `${draft}.tar.gz`;
      try {
        await fetchFile(release.url, expected, archive, detail);
        await unpack(archive, member, draft);
      } finally {
        await rm(archive, { force: true });
      }
    }),
  );
}

/** Reads either a lone checksum or lines of "checksum  file name". */
async function publishedChecksum({ url, checksumsUrl }: Release): Promise<string> {
  const answer = await open(checksumsUrl, new AbortController());
  const lines = (await answer.text()).trim().split('\n');
  for (const line of lines) {
    const [sum = '', file = basename(url)] = line.trim().split(/\s+/);
    if (/^[0-9a-f]{64}$/.test(sum) && file === basename(url)) {
      return sum;
    }
  }
  throw new ReleaseUnavailable(`${checksumsUrl} holds no SHA-256 for ${basename(url)}`);
}

async function fetchFile(url: string, expected: string, path: string, detail: (text: string) => void): Promise<void> {
  const abort = new AbortController();
  const answer = await open(url, abort);
  if (answer.body === null) {
    throw new ReleaseUnavailable(`${url} is empty`);
  }
  const hash = createHash('sha256');
  let bytes = 0;
  const stall = setTimeout(() => abort.abort(new Error(`no data for ${stallTimeout / 1000} s`)), stallTimeout);
  const observe = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      stall.refresh();
      hash.update(chunk);
      bytes += chunk.length;
      detail(`${Math.round(bytes / 2 ** 20)} MiB`);
      yield chunk;
    }
  };
  try {
    await pipeline(Readable.fromWeb(answer.body), observe, createWriteStream(path), { signal: abort.signal });
  } catch (error) {
    throw new ReleaseUnavailable(`${url} broke off after ${bytes} bytes`, { cause: error });
  } finally {
    clearTimeout(stall);
  }
  const actual = hash.digest('hex');
  if (actual !== expected) {
    throw new Error(
      `${url} has the SHA-256 ${actual}, but ${expected} was published. It was not installed: try again, or ask whoever serves it.`,
    );
  }
}

/** Asks for a URL and gives the answer, if it is a good one and begins in time. */
async function open(url: string, abort: AbortController): Promise<Response> {
  const timer = setTimeout(() => abort.abort(new Error(`no answer within ${answerTimeout / 1000} s`)), answerTimeout);
  let answer: Response;
  try {
    answer = await fetch(url, { signal: abort.signal });
  } catch (error) {
    throw new SourceOutOfReach(`${url} is out of reach (${rootCause(error)})`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new ReleaseUnavailable(`${url} answered HTTP ${answer.status}`);
  }
  return answer;
}

function rootCause(error: unknown): string {
  let cause = error;
  while (cause instanceof Error && cause.cause !== undefined) {
    cause = cause.cause;
  }
  return cause instanceof Error ? cause.message : String(cause);
}

async function unpack(archive: string, member: string, path: string): Promise<void> {
  const folder = `${path}.d`;
  try {
    await mkdir(folder, { recursive: true });
    await runCommand('tar', ['-xzf', archive, '-C', folder, member]);
    await rename(join(folder, member), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
