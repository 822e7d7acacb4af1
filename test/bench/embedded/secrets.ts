import { randomBytes } from 'node:crypto';
import { clusterSecretManagers } from '../../../src/api/v1/resources.ts';
import { managerStatusSchema } from '../../../src/api/v1/secret-manager.ts';
import type { Keyferry } from '../../../src/index.ts';
import { eventually } from '../../operator/eventually.ts';
import { type EmbeddedRig, placesOf } from './rig.ts';

/** The secrets that are put, each of which stands in the namespace whose turn it is. */
export interface EmbeddedSecrets {
  /** Waits until values can be sealed. */
  ready(): Promise<void>;
  at(index: number): { readonly namespace: string; readonly name: string; readonly value: string };
  newValue(): string;
  /** Puts a new version and waits until it is accepted. */
  put(index: number, value?: string): Promise<void>;
}

export function createSecrets(rig: EmbeddedRig): EmbeddedSecrets {
  const places = placesOf(rig.settings);
  const libraries = new Map<string, Keyferry>(places.map((namespace) => [namespace, rig.secretsOf(namespace)]));
  const values = new Map<number, string>();
  const place = (index: number): { readonly namespace: string; readonly name: string } => ({
    namespace: places[index % places.length] ?? '',
    name: `app-${String(index).padStart(5, '0')}/db.password`,
  });
  const newValue = (): string =>
    randomBytes(rig.settings.VALUE_BYTES).toString('hex').slice(0, rig.settings.VALUE_BYTES);
  return {
    ready: () =>
      eventually('the manager shows its key', async () => {
        const name = { namespace: '', name: 'default' };
        const { status } = await rig.client.get(clusterSecretManagers, name, { signal: rig.signal });
        if (managerStatusSchema.parse(status).publicKey === undefined) throw new Error('it shows none');
      }),
    at: (index) => ({ ...place(index), value: values.get(index) ?? '' }),
    newValue,
    put: async (index, value = newValue()) => {
      const { namespace, name } = place(index);
      values.set(index, value);
      await libraries.get(namespace)?.secret(name).put(value);
    },
  };
}
