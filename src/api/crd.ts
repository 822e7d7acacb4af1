import type { z } from 'zod';
import { structuralSchema } from './structural-schema.ts';
import { checks, type Rule } from './v1/parts.ts';

/** A column of `kubectl get`. Priority 1 is shown with `-o wide` only. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  readonly priority?: 1;
}

/** All that makes a custom resource. */
export interface Kind {
  readonly resource: {
    readonly group: string;
    readonly version: string;
    readonly plural: string;
    readonly kind: string;
    readonly namespaced: boolean;
  };
  readonly shortName: string;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  /** About the whole object. They see metadata.name, but no namespace. */
  readonly rules?: readonly Rule[];
  readonly columns: readonly PrinterColumn[];
}

/** A manifest: what is written to a YAML file. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** The CustomResourceDefinition of a kind. */
export function crd(kind: Kind): Manifest {
  const { group, version, plural, namespaced } = kind.resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: kind.resource.kind,
        listKind: `${kind.resource.kind}List`,
        plural,
        singular: kind.resource.kind.toLowerCase(),
        shortNames: [kind.shortName],
        categories: ['keyferry'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns,
          schema: { openAPIV3Schema: rootSchema(kind) },
        },
      ],
    },
  };
}

function rootSchema({ description, spec, status, rules = [] }: Kind): Readonly<Record<string, unknown>> {
  return {
    description,
    type: 'object',
    required: ['spec'],
    ...(rules.length > 0 && checks(...rules)),
    properties: {
      apiVersion: { description: 'Version of the schema of this object.', type: 'string' },
      kind: { description: 'Kind of this object.', type: 'string' },
      metadata: { type: 'object' },
      spec: structuralSchema(spec),
      status: structuralSchema(status),
    },
  };
}
