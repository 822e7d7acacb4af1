import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { labels } from '../../src/api/v1/names.ts';
import { secretReferences } from '../../src/api/v1/resources.ts';
import { secrets as secretResource } from '../../src/kube/resource.ts';
import type { Rig } from './rig.ts';
import { dataKey } from './workload.ts';

/** A figure for work that was done wrong is worth nothing: every Secret must hold what the backend has. */
export async function checkSecrets(rig: Rig): Promise<void> {
  const found = await rig.client.list(secretResource, { labelSelector: labels.target }, { signal: rig.signal });
  const { names } = rig.secrets;
  for (const { metadata, ...secret } of found) {
    const index = Number(metadata.name.slice(metadata.name.lastIndexOf('-') + 1));
    const value = Buffer.from(rig.secrets.valueOf(names[index % names.length] ?? '')).toString('base64');
    if (!isDeepStrictEqual(secret['data'], { [dataKey]: value })) {
      throw new Error(`Secret ${metadata.namespace}/${metadata.name} does not hold what it should`);
    }
  }
  if (found.length !== rig.settings.REFERENCES) throw new Error(`there are ${found.length} Secrets`);
}

const readySchema = z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })) });

export async function checkReferences(rig: Rig): Promise<void> {
  for (const { metadata, ...reference } of await rig.client.list(secretReferences, {}, { signal: rig.signal })) {
    const { conditions } = readySchema.parse(reference['status']);
    const ready = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    if (!ready) throw new Error(`SecretReference ${metadata.namespace}/${metadata.name} is not Ready`);
  }
}
