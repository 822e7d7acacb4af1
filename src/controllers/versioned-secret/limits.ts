import type { EmbeddedLimits } from '../../api/v1/secret-manager.ts';
import type { KubeObject } from '../../kube/object.ts';
import { defaultLimits } from '../../managers/embedded/backend.ts';
import type { ManagerObject } from '../secret-manager/manager-object.ts';

/** What a namespace may keep, and who says so. */
export interface NamespaceLimits extends EmbeddedLimits {
  /** The ClusterSecretManager that grants the most secrets; undefined where none keeps secrets there. */
  readonly manager: string | undefined;
}

/** What a namespace may keep: the most that any embedded manager grants that keeps secrets there. */
export function limitsFor(namespace: string, managers: readonly ManagerObject[]): NamespaceLimits {
  const granted = managers.flatMap(({ kind, metadata, spec }) => {
    if (kind !== 'ClusterSecretManager' || spec.embedded === undefined || !('limits' in spec.embedded)) return [];
    const keeps = spec.embedded.namespace === undefined || spec.embedded.namespace === namespace;
    return keeps ? [{ name: metadata.name, ...spec.embedded.limits }] : [];
  });
  const [most] = granted.toSorted((a, b) => b.secrets - a.secrets || (a.name < b.name ? -1 : 1));
  if (most === undefined) return { ...defaultLimits, manager: undefined };
  return {
    secrets: most.secrets,
    valueBytes: Math.max(...granted.map(({ valueBytes }) => valueBytes)),
    versions: Math.max(...granted.map(({ versions }) => versions)),
    manager: most.name,
  };
}

/** Why a namespace takes no more secrets, and how it would. */
export function tooManySecrets(namespace: string, { secrets, manager }: NamespaceLimits): string {
  const where = manager === undefined ? 'a ClusterSecretManager' : `ClusterSecretManager ${manager}`;
  const more = `embedded: {limits: {secrets: ${secrets * 2}}}`;
  return `namespace ${namespace} may keep ${secrets} secrets, and has that many older ones: delete some, or raise the limit of ${where}: ${more}`;
}

/** Whether a namespace keeps as many older secrets as it may. The first that are looked at are mostly the oldest: so it takes no look at thousands. */
export function isBeyond(secret: KubeObject, all: readonly KubeObject[], { secrets }: EmbeddedLimits): boolean {
  // So it nearly always is: then nobody's age matters.
  if (all.length <= secrets) return false;
  let older = 0;
  for (const other of all) {
    if (isOlder(other, secret)) older += 1;
    if (older >= secrets) return true;
  }
  return false;
}

/** Of one second the name decides. */
function isOlder(a: KubeObject, b: KubeObject): boolean {
  const [from, to] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return from === to ? a.metadata.name < b.metadata.name : from < to;
}

/** Besides those that fall out of the history a secret keeps so many versions. What nobody trims would have no end otherwise. */
const MORE_VERSIONS = 200;

/** Why a secret takes no more versions; undefined where it does. */
export function tooManyVersions(kept: number, { versions }: EmbeddedLimits): string | undefined {
  const most = versions + MORE_VERSIONS;
  return kept < most ? undefined : `it has ${kept} versions, and at most ${most} are kept: destroy old ones`;
}
