import { secretObjectName } from '../../api/v1/embedded-name.ts';
import { clusterSecretManagers, secretManagers } from '../../api/v1/resources.ts';
import type { ManagerRef } from '../../api/v1/secret-reference.ts';
import type { KubeClient } from '../../kube/client.ts';
import { waitFor } from '../../managers/embedded/client/wait-for.ts';
import { homeOf } from '../../managers/embedded/names.ts';
import { type CliContext, CliError } from '../context.ts';
import { toManagerView } from '../status/manager.ts';
import { listReferences } from '../status/observe.ts';
import { readable } from '../status/readable.ts';
import type { ReferenceView } from '../status/reference.ts';
import { describeMovers, type Progress, progressOf, type Rotation } from './progress.ts';

/** Milliseconds between two looks: each is a list of references. */
const LOOK_AGAIN = 1000;

export interface WatchOptions {
  /** Whose references are looked at where those of all namespaces may not be. */
  readonly namespace: string;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface Watched extends Progress {
  /** What may not be seen. */
  readonly hidden: string | undefined;
}

/** Watches until nothing more will happen by itself, or the time is over. */
export async function watchRotation(context: CliContext, rotation: Rotation, options: WatchOptions): Promise<Watched> {
  const { clock, signal, io } = context;
  const { client } = await context.cluster();
  const scope = await scopeOf(client, options.namespace, signal);
  let looked = -Infinity;
  let progress: Progress = { movers: [], settled: false, through: false };
  let told = '';
  await waitFor(clock, options.timeout, signal, async () => {
    if (clock.monotonic() < looked + LOOK_AGAIN) return undefined;
    looked = clock.monotonic();
    progress = progressOf(await readReferences(client, scope.namespace, signal), rotation);
    const text = describeMovers(progress.movers);
    if (io.noteIsTerminal && text !== told && !progress.settled) io.note(text.trimEnd());
    told = text;
    return progress.settled ? true : undefined;
  });
  return { ...progress, hidden: scope.hidden };
}

/** A rotation of a secret that is kept in a namespace. `secret` is the name of its object. */
export async function embeddedRotation(
  client: KubeClient,
  { secret, namespace, version }: { readonly secret: string; readonly namespace: string; readonly version: number },
  signal: AbortSignal,
): Promise<Rotation> {
  return {
    isSecret: (name) => secretObjectName(name) === secret,
    version: String(version),
    latestStage: 'latest',
    isOurs: await ownership(client, namespace, signal),
  };
}

/** All namespaces where they may be listed, as a shared secret has users elsewhere. */
async function scopeOf(
  client: KubeClient,
  own: string,
  signal: AbortSignal,
): Promise<{ readonly namespace: string | undefined; readonly hidden: string | undefined }> {
  const all = await listReferences(client, undefined, signal);
  return 'value' in all
    ? { namespace: undefined, hidden: undefined }
    : { namespace: own, hidden: `${all.hidden}: users in other namespaces are not shown` };
}

async function readReferences(
  client: KubeClient,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<readonly ReferenceView[]> {
  const read = await listReferences(client, namespace, signal);
  if ('hidden' in read) throw new CliError(`${read.hidden}: the version is latest, but who runs it can not be seen`);
  return read.value;
}

/** Which managers keep their secrets in the namespace, for whom. Where they may not be read, `default` counts as one that keeps them in each namespace. */
async function ownership(client: KubeClient, home: string, signal: AbortSignal): Promise<Rotation['isOurs']> {
  const [cluster, own] = await Promise.all([
    readable('ClusterSecretManagers', () => client.list(clusterSecretManagers, {}, { signal })),
    readable('SecretManagers', () => client.list(secretManagers, { namespace: home }, { signal })),
  ]);
  const view = ({ kind, name }: ManagerRef) => {
    const read = kind === 'SecretManager' ? own : cluster;
    const raw = 'value' in read ? read.value.find(({ metadata }) => metadata.name === name) : undefined;
    return raw === undefined ? undefined : toManagerView(kind, raw);
  };
  const unseen = 'hidden' in cluster;
  return ({ metadata }, { manager }) => {
    // A namespaced manager keeps the secrets of its own namespace.
    if (manager.kind === 'SecretManager' && metadata.namespace !== home) return false;
    const found = view(manager);
    if (found !== undefined) return homeOf(found.spec, found.metadata.namespace, metadata.namespace) === home;
    return (
      unseen && manager.kind === 'ClusterSecretManager' && manager.name === 'default' && metadata.namespace === home
    );
  };
}
