import { sealingKeysSecret } from '../api/v1/names.ts';
import { createKeyStore, type KeyStore } from '../controllers/sealing-keys/key-store.ts';
import { watchMountedKeys } from '../controllers/sealing-keys/mounted-keys.ts';
import type { KeyWrapper } from '../controllers/sealing-keys/wrapped-entries.ts';
import { watchSecret } from '../controllers/secret-manager/credentials.ts';
import type { KubeClient } from '../kube/client.ts';
import { createKms } from '../managers/aws/kms.ts';
import { unwrapKey, wrapKey } from '../managers/embedded/sealing/wrapped-key.ts';
import { ManagerError } from '../managers/errors.ts';
import { whenAborted } from '../runtime/abort.ts';
import { backoff } from '../runtime/backoff.ts';
import { type Clock, sleep } from '../runtime/clock.ts';
import { describeError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import type { OperatorParts } from './parts.ts';

export interface SealingKeys {
  readonly store: KeyStore;
  /** Makes the first key where there is none, and wraps keys where they are to be. For the leader. */
  keep(stop: AbortSignal): Promise<void>;
  close(): void;
}

/** Milliseconds until the next look for a key. */
const LOOK_AGAIN = 2_000;
/** Milliseconds after a failure: the first wait, and the longest. */
const RETRY = { base: 4_000, cap: 60_000 };
/** Milliseconds for which it is waited to know which cluster this is. */
const CLUSTER_KNOWN = 10_000;

/** The sealing keys where the settings say that they are. */
export function openKeys(
  parts: OperatorParts,
  client: KubeClient,
  clusterUid: () => string,
  hasSealed: () => boolean,
): SealingKeys {
  const { namespace, sealingKeysFile: folder } = parts.config;
  const refresh = (): void => void store.refresh().catch(() => undefined);
  const stopped = new AbortController();
  const wrapper = openWrapper(parts, clusterUid, stopped.signal);
  const watched =
    folder === undefined
      ? watchSecret(parts)(namespace, sealingKeysSecret, refresh)
      : watchMountedKeys({ ...parts, folder, onChange: refresh });
  const store = createKeyStore({
    read: () => watched.read(),
    folder,
    create: folder === undefined ? { client, namespace } : undefined,
    hasSealed,
    wrapper,
    clock: parts.clock,
    logger: parts.logger,
  });
  return {
    store,
    keep: (stop) => keepKeys(parts, store, wrapper !== undefined, stop),
    close: () => {
      stopped.abort();
      store.close();
      watched.stop();
    },
  };
}

/** Undefined where the settings name no key of AWS KMS. */
function openWrapper(
  { config, clock }: OperatorParts,
  clusterUid: () => string,
  stop: AbortSignal,
): KeyWrapper | undefined {
  const { sealingKeysKmsKeyId: keyId, sealingKeysKmsEndpoint: endpoint } = config;
  if (keyId === undefined) return undefined;
  const kms = createKms({ keyId, endpoint, principal: "the operator's own identity", clock });
  return {
    wrap: async (key, signal) => wrapKey(kms, key, await knownCluster(clusterUid, clock, signal), signal),
    unwrap: async (wrapped) => unwrapKey(kms, wrapped, await knownCluster(clusterUid, clock, stop), stop),
  };
}

/** A key that is wrapped for no cluster would open in none. */
async function knownCluster(clusterUid: () => string, clock: Clock, signal: AbortSignal): Promise<string> {
  const deadline = clock.monotonic() + CLUSTER_KNOWN;
  while (clusterUid() === 'unknown' && clock.monotonic() < deadline) {
    signal.throwIfAborted();
    await sleep(clock, 50, signal);
  }
  const uid = clusterUid();
  if (uid !== 'unknown') return uid;
  const text = 'which cluster this is is not known: the operator needs the right to get the namespace kube-system';
  throw new ManagerError('ManagerUnavailable', text);
}

async function keepKeys(
  { clock, random, logger }: OperatorParts,
  keys: KeyStore,
  wrapped: boolean,
  stop: AbortSignal,
): Promise<void> {
  let changed = Promise.withResolvers<void>();
  keys.onChange(() => changed.resolve());
  let failures = 0;
  while (!stop.aborted) {
    changed = Promise.withResolvers<void>();
    failures = (await ensured(keys, logger, stop)) ? 0 : failures + 1;
    const usable = failures === 0 && keys.ring()?.current !== undefined;
    // Whoever brings a key later, by the command or from a backup, may bring it as it is.
    if (usable && !wrapped) return;
    const pause = failures === 0 ? LOOK_AGAIN : backoff({ ...RETRY, random }, failures);
    await (usable ? Promise.race([changed.promise, whenAborted(stop)]) : sleep(clock, pause, stop));
  }
}

async function ensured(keys: KeyStore, logger: Logger, stop: AbortSignal): Promise<boolean> {
  try {
    await keys.ensure(stop);
    return true;
  } catch (error) {
    if (!stop.aborted) logger.warn('The sealing key could not be made or wrapped', describeError(error));
    return false;
  }
}
