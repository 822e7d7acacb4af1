import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { crd } from './crd.ts';
import { clusterSecretManager, kinds, secretManager, secretReference } from './v1/kinds.ts';
import { clusterSecretManagerSpecSchema, secretManagerSpecSchema } from './v1/secret-manager.ts';
import { secretReferenceSpecSchema } from './v1/secret-reference.ts';

const columnSchema = z.object({ name: z.string(), priority: z.int().default(0) });
const crdSchema = z.object({
  spec: z.object({
    scope: z.string(),
    names: z.object({ shortNames: z.array(z.string()), categories: z.array(z.string()) }),
    versions: z.tuple([
      z.object({
        subresources: z.object({ status: z.object({}) }),
        additionalPrinterColumns: z.array(columnSchema),
        schema: z.object({ openAPIV3Schema: z.looseObject({}) }),
      }),
    ]),
  }),
});

function parsed(kind: (typeof kinds)[number]) {
  const { spec } = crdSchema.parse(crd(kind));
  const [version] = spec.versions;
  const columns = version.additionalPrinterColumns;
  return {
    ...spec,
    schema: version.schema.openAPIV3Schema,
    columns: columns.filter(({ priority }) => priority === 0).map(({ name }) => name.toUpperCase()),
    wideColumns: columns.filter(({ priority }) => priority === 1).map(({ name }) => name.toUpperCase()),
  };
}

interface Place {
  readonly path: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

const objectSchema = z.record(z.string(), z.looseObject({}));

/** Every schema below one, with where it stands. */
function places(schema: Readonly<Record<string, unknown>>, path = ''): readonly Place[] {
  const named = Object.entries(objectSchema.parse(schema['properties'] ?? {}));
  const unnamed = ['items', 'additionalProperties'].filter((keyword) => schema[keyword] !== undefined);
  return [
    { path, schema },
    ...named.flatMap(([name, child]) => places(child, `${path}.${name}`)),
    ...unnamed.flatMap((keyword) => places(z.looseObject({}).parse(schema[keyword]), `${path}[${keyword}]`)),
  ];
}

describe('the CRDs', () => {
  it.each(kinds.map((kind) => [kind.resource.kind, kind] as const))('describe every field of a %s', (_name, kind) => {
    const undescribed = places(parsed(kind).schema).filter(
      ({ path, schema }) => path !== '.metadata' && schema['description'] === undefined && !path.endsWith('[items]'),
    );

    expect(undescribed.map(({ path }) => path)).toEqual([]);
  });

  it.each(kinds.map((kind) => [kind.resource.kind, kind] as const))(
    'bound what people write in a %s',
    (_name, kind) => {
      const limits = {
        string: ['maxLength', 'enum', 'format'],
        array: ['maxItems'],
        object: ['maxProperties', 'properties'],
      };
      const refused = /\.aws\.(endpoint|proxy|caBundle|roleArn)$|\.embedded\.(namespace|limits)$|\.access(\[items\])?$/;
      const unbounded = places(parsed(kind).schema, '').filter(({ path, schema }) => {
        const known = Object.entries(limits).find(([type]) => type === schema['type'])?.[1] ?? [];
        const exempt = !path.startsWith('.spec') || (kind === secretManager && refused.test(path));
        return !exempt && known.length > 0 && !known.some((keyword) => schema[keyword] !== undefined);
      });

      expect(unbounded.map(({ path }) => path)).toEqual([]);
    },
  );

  it('show what the design shows', () => {
    expect(parsed(secretReference)).toMatchObject({
      scope: 'Namespaced',
      names: { shortNames: ['sref'], categories: ['keyferry'] },
      columns: ['READY', 'REASON', 'STALE', 'VERSIONS', 'ROLLOUT', 'AGE'],
      wideColumns: ['MANAGER', 'TARGET', 'CHANGED'],
    });
    const columns = ['BACKEND', 'READY', 'REASON', 'SECRETS', 'REFERENCES', 'AGE'];
    expect(parsed(secretManager)).toMatchObject({ scope: 'Namespaced', names: { shortNames: ['smgr'] }, columns });
    expect(parsed(clusterSecretManager)).toMatchObject({ scope: 'Cluster', names: { shortNames: ['csmgr'] }, columns });
  });
});

describe('parsing', () => {
  it('fills in the same defaults as the API server', () => {
    expect(secretReferenceSpecSchema.parse({ data: {} })).toEqual({
      managerRef: { kind: 'ClusterSecretManager', name: 'default' },
      data: {},
      target: { type: 'Opaque', ownership: 'Owner' },
      rollout: { policy: 'Auto', settle: '2s', onFailure: 'None', progressDeadline: '10m' },
      suspend: false,
    });
    expect(clusterSecretManagerSpecSchema.parse({ access: [] })).toEqual({
      access: [],
      onRevoked: 'Retain',
      pollInterval: '5m',
    });
  });

  it('reads an object that was stored before a limit was lowered', () => {
    const secret = 'x'.repeat(5000);

    expect(secretReferenceSpecSchema.parse({ data: { key: { secret } } }).data?.['key']?.secret).toBe(secret);
  });

  it('security rule 8: drops what a namespaced manager may not set, even where no CRD refused it', () => {
    const auth = { secretRef: { name: 'keys' }, instanceMetadata: true };
    const spec = { access: [], aws: { auth, endpoint: 'https://evil.test', roleArn: 'x', caBundle: 'x', proxy: 'x' } };

    const { aws, ...rest } = secretManagerSpecSchema.parse(spec);

    expect(Object.keys(rest)).toEqual(['pollInterval']);
    expect(Object.keys(aws ?? {})).toEqual(['auth']);
    expect(Object.keys(aws?.auth ?? {})).toEqual(['secretRef']);
  });
});
