import { z } from 'zod';
import { annotations } from '../../api/v1/names.ts';
import { neverBackedUp } from '../../api/v1/secret-manager.ts';
import type { KubeObject, RawObject } from '../../kube/object.ts';
import { createReflector, type ReflectorOptions } from '../../kube/reflector.ts';
import { secrets } from '../../kube/resource.ts';
import { createStore } from '../../kube/store.ts';
import { SecretValue } from '../../managers/secret-value.ts';

/** A Secret with credentials, as it is now. */
export type Credentials =
  | { readonly state: 'loading' }
  | { readonly state: 'absent' }
  | {
      readonly state: 'present';
      readonly version: string;
      readonly data: ReadonlyMap<string, SecretValue>;
      /** Of the Secret with the sealing keys: the entry that is in use. */
      readonly current?: string | undefined;
      /** The public key that all is to be sealed to. */
      readonly reseal?: string | undefined;
      /** When all keys were last backed up, or `never`. */
      readonly backup?: string | undefined;
    };

/** Watches exactly the Secrets that managers take their credentials from. */
export interface CredentialWatcher {
  /** What is known of the Secret that `manager` uses; starts to watch it where nobody did. `onChange` is called with the manager's key later. */
  read(manager: string, namespace: string, name: string): Credentials;
  /** The manager uses no Secret any more. */
  release(manager: string): void;
  close(): void;
}

interface CredentialObject extends KubeObject {
  readonly data: ReadonlyMap<string, SecretValue>;
}

interface Watch {
  readonly users: Set<string>;
  read(): Credentials;
  stop(): void;
}

const dataSchema = z.record(z.string(), z.string()).default({});

/** `start` watches one Secret and calls back at each change of it: injected, so that the book-keeping can be tried without a cluster. */
export function createCredentialWatcher(
  start: (namespace: string, name: string, onChange: () => void) => Omit<Watch, 'users'>,
  onChange: (manager: string) => void,
): CredentialWatcher {
  const watches = new Map<string, Watch>();
  const inUse = new Map<string, string>();

  function release(manager: string): void {
    const id = inUse.get(manager);
    if (id === undefined) return;
    inUse.delete(manager);
    const watch = watches.get(id);
    watch?.users.delete(manager);
    if (watch?.users.size !== 0) return;
    watch.stop();
    watches.delete(id);
  }

  function open(id: string, namespace: string, name: string): Watch {
    const users = new Set<string>();
    const watch = { users, ...start(namespace, name, () => users.forEach((user) => onChange(user))) };
    watches.set(id, watch);
    return watch;
  }

  return {
    read(manager, namespace, name) {
      const id = `${namespace}/${name}`;
      if (inUse.get(manager) !== id) release(manager);
      const watch = watches.get(id) ?? open(id, namespace, name);
      watch.users.add(manager);
      inUse.set(manager, id);
      return watch.read();
    },
    release,
    close: () => {
      for (const watch of watches.values()) watch.stop();
      watches.clear();
      inUse.clear();
    },
  };
}

type ReflectorSettings = Pick<ReflectorOptions<CredentialObject>, 'transport' | 'clock' | 'random' | 'logger'>;

/** The real watch of one Secret: a reflector with a field selector. */
export function watchSecret(
  settings: ReflectorSettings,
): (namespace: string, name: string, onChange: () => void) => Omit<Watch, 'users'> {
  return (namespace, name, onChange) => {
    const store = createStore<CredentialObject>({ logger: settings.logger });
    const stopped = new AbortController();
    const reflector = createReflector<CredentialObject>({
      ...settings,
      resource: secrets,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      transform: toCredentials,
      store,
    });
    store.onChange(onChange);
    void reflector.run(stopped.signal);
    void reflector.whenSynced(stopped.signal).then(onChange);
    return {
      read() {
        if (!reflector.synced) return { state: 'loading' };
        const object = store.get(namespace, name);
        if (object === undefined) return { state: 'absent' };
        const { uid, resourceVersion } = object.metadata;
        const { [annotations.currentKey]: current, [annotations.reseal]: reseal } = object.metadata.annotations;
        const { [annotations.backedUp]: backup = neverBackedUp } = object.metadata.annotations;
        return { state: 'present', version: `${uid}:${resourceVersion}`, data: object.data, current, reseal, backup };
      },
      stop: () => stopped.abort(),
    };
  };
}

function toCredentials(raw: RawObject): CredentialObject {
  const data = Object.entries(dataSchema.parse(raw['data']));
  // Of the annotations nothing else is kept: what kubectl applied last has the values.
  const kept = [annotations.currentKey, annotations.reseal, annotations.backedUp].flatMap((name) => {
    const value = raw.metadata.annotations[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    metadata: { ...raw.metadata, annotations: Object.fromEntries(kept) },
    data: new Map(data.map(([key, value]) => [key, SecretValue.fromBytes(Buffer.from(value, 'base64'))])),
  };
}
