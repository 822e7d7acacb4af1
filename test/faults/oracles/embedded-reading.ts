import { z } from 'zod';
import type { ObjectVersion } from '../history.ts';

const versionSchema = z.object({
  spec: z.object({
    secret: z.string(),
    version: z.int(),
    from: z.object({ version: z.int() }).optional(),
    sealed: z.array(z.object({ key: z.string(), data: z.string() })).default([]),
  }),
});

/** A SecretVersion: whose it is, its number, and what is sealed in it. */
export type SealedObject = z.infer<typeof versionSchema>['spec'];

export function sealedOf({ object }: ObjectVersion): SealedObject {
  return versionSchema.parse(object).spec;
}

const statusSchema = z.object({
  spec: z.object({ name: z.string().optional() }).prefault({}),
  status: z
    .object({
      observedGeneration: z.int().default(0),
      latest: z.int().optional(),
      lastVersion: z.int().default(0),
      versions: z
        .array(z.object({ version: z.int(), uid: z.string(), key: z.string(), digest: z.string() }))
        .default([]),
    })
    .prefault({}),
});

/** What a VersionedSecret says of its versions. */
export type Account = z.infer<typeof statusSchema>['status'];

export function accountOf({ object }: ObjectVersion): Account {
  return statusSchema.parse(object).status;
}

const toldSchema = z.object({ status: z.object({ state: z.string().default('') }).prefault({}) });

/** Whether a SecretVersion says that it is accepted: that is what its putter hears. */
export function isToldAccepted({ object }: ObjectVersion): boolean {
  return toldSchema.parse(object).status.state === 'Accepted';
}

/** A version that its secret said to be accepted. */
export interface Accepted {
  /** Name of the secret, which is that of its object in these runs. */
  readonly secret: string;
  readonly version: number;
  readonly uid: string;
  /** From when on it was said. */
  readonly revision: number;
}

/** By uid of the SecretVersion. */
export function acceptedOf(objects: readonly ObjectVersion[]): ReadonlyMap<string, Accepted> {
  const found = new Map<string, Accepted>();
  for (const object of objects) {
    if (object.kind !== 'VersionedSecret') continue;
    for (const { version, uid } of accountOf(object).versions) {
      if (!found.has(uid)) found.set(uid, { secret: object.name, version, uid, revision: object.revision });
    }
  }
  return found;
}
