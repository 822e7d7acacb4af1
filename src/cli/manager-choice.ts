import { clusterSecretManagers, secretManagers } from '../api/v1/resources.ts';
import type { KubeClient } from '../kube/client.ts';
import { isForbidden } from '../kube/errors.ts';
import { findObject } from '../kube/find-object.ts';
import { asking } from '../managers/embedded/client/refusal.ts';
import type { ManagerName } from '../managers/embedded/client/sealing-target.ts';
import { type Backend, backendOf } from '../managers/registry.ts';
import { CliError } from './context.ts';
import { type ManagerView, toManagerView } from './status/manager.ts';

type Kind = ManagerName['kind'];

/** What `--manager` names: a manager object, and what it is expected to be. */
export interface ManagerChoice {
  /** `aws/NAME` or `embedded/NAME`. */
  readonly backend: Backend | undefined;
  /** `SecretManager/NAME`; undefined: a ClusterSecretManager, else a SecretManager of the namespace. */
  readonly kind: Kind | undefined;
  readonly name: string;
}

/** @throws CliError */
export function managerChoice(text: string): ManagerChoice {
  const [first = '', second, ...more] = text.split('/');
  const [scope, name] = second === undefined ? [undefined, first] : [first, second];
  if (name !== '' && more.length === 0) {
    if (scope === undefined) return { backend: undefined, kind: undefined, name };
    if (scope === 'aws' || scope === 'embedded') return { backend: scope, kind: undefined, name };
    if (scope === 'ClusterSecretManager' || scope === 'SecretManager') return { backend: undefined, kind: scope, name };
  }
  throw new CliError(
    '--manager takes the name of a manager, as in default, aws/NAME, embedded/NAME or SecretManager/NAME',
    2,
  );
}

/** The manager object of a choice. @throws CliError where there is none, or it is of another backend */
export async function findManager(
  client: Pick<KubeClient, 'get'>,
  choice: ManagerChoice,
  namespace: string,
  signal: AbortSignal,
): Promise<ManagerView> {
  const { kind, name, backend } = choice;
  const kinds: readonly Kind[] = kind === undefined ? ['ClusterSecretManager', 'SecretManager'] : [kind];
  let hidden: string | undefined;
  for (const each of kinds) {
    const found = await look(client, each, name, namespace, signal);
    if (found === 'hidden') hidden ??= each;
    if (found === 'hidden' || found === undefined) continue;
    const is = backendOf(found.spec);
    if (backend === undefined || backend === is) return found;
    throw new CliError(
      `${managerTitle(found)} keeps its secrets ${is === 'aws' ? 'in AWS' : 'in the cluster'}: --manager ${is}/${name}`,
    );
  }
  if (hidden !== undefined) {
    throw new CliError(
      `you may not read ${hidden} ${name}, which says where its secrets are: ask for the right to get it`,
    );
  }
  throw new CliError(
    `there is no ${kinds.join(' and no ')} ${name} (of namespace ${namespace}): kubectl get csmgr,smgr`,
  );
}

async function look(
  client: Pick<KubeClient, 'get'>,
  kind: Kind,
  name: string,
  namespace: string,
  signal: AbortSignal,
): Promise<ManagerView | 'hidden' | undefined> {
  const [resource, place] = kind === 'SecretManager' ? [secretManagers, namespace] : [clusterSecretManagers, ''];
  const raw = await asking(async () => {
    try {
      return await findObject(client, resource, { namespace: place, name }, { signal });
    } catch (error) {
      if (isForbidden(error)) return 'hidden' as const;
      throw error;
    }
  });
  if (raw === undefined || raw === 'hidden') return raw;
  const view = toManagerView(kind, raw);
  if (view !== undefined) return view;
  throw new CliError(
    `${kind} ${name} has a form that this version does not know: use the keyferry of the operator's version`,
  );
}

/** `ClusterSecretManager aws`. */
export function managerTitle({ kind, metadata }: ManagerView): string {
  return `${kind} ${metadata.name}`;
}
