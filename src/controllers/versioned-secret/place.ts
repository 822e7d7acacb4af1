import type { SealContext } from '../../managers/embedded/sealing/context.ts';
import type { VersionedSecret } from './versioned-secret.ts';

/** Where a sealed value of this secret must say that it belongs. `type` is that of the time when it was put. */
export function placeOf(
  { metadata, spec }: VersionedSecret,
  version: number,
  type: string | undefined,
  cluster: string,
): SealContext {
  const portable = spec.sealing === 'Portable';
  return {
    cluster: portable ? '' : cluster,
    namespace: metadata.namespace,
    secret: metadata.name,
    uid: portable ? '' : metadata.uid,
    version,
    type: type ?? '',
  };
}
