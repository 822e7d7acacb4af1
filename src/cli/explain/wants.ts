import type { ManagerRef, SecretReferenceSpec } from '../../api/v1/secret-reference.ts';

/** One thing that a reference wants from a manager. */
export interface Want {
  /** `key password`, `dataFrom[0]`. */
  readonly where: string;
  readonly manager: ManagerRef;
  /** Undefined for what is found by prefix or tags. */
  readonly secret: string | undefined;
  readonly version?: string | undefined;
  readonly stage?: string | undefined;
  readonly property?: string | undefined;
  /** Whether it may be missing. */
  readonly optional: boolean;
}

/** What a reference wants, in the order of its spec. */
export function wantsOf(spec: SecretReferenceSpec): readonly Want[] {
  const data = Object.entries(spec.data ?? {}).map(
    ([key, { secret, version, stage, property, optional = false, managerRef }]): Want => ({
      where: `key ${key}`,
      manager: managerRef ?? spec.managerRef,
      secret,
      version,
      stage,
      property,
      optional,
    }),
  );
  const from = (spec.dataFrom ?? []).map(
    ({ extract, versions, managerRef }, index): Want => ({
      where: `dataFrom[${index}]`,
      manager: managerRef ?? spec.managerRef,
      secret: extract?.secret ?? versions?.secret,
      version: extract?.version,
      stage: extract?.stage,
      property: extract?.property,
      optional: false,
    }),
  );
  return [...data, ...from];
}

export function managerKeyOf({ kind, name }: ManagerRef): string {
  return `${kind}/${name}`;
}
