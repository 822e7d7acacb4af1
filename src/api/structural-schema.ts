import { z } from 'zod';
import { refusedFieldsKey } from './v1/refused.ts';

/** A schema as a CRD wants it: OpenAPI v3, structural. */
export interface StructuralSchema {
  readonly [keyword: string]: unknown;
}

const schemaMapSchema = z.record(z.string(), z.looseObject({}));

/** Keywords that mean the same in JSON Schema and in a CRD. Their order is the order in the file. */
const plainKeywords = [
  'description',
  'type',
  'format',
  'enum',
  'default',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'required',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
] as const;

/** Keywords that are translated, or that a CRD implies. */
const handledKeywords = ['$schema', 'properties', 'items', 'additionalProperties', 'propertyNames', refusedFieldsKey];

/**
 * Turns a zod schema into the structural schema of what people write (defaults are optional).
 * @throws Error for what a CRD cannot say: unions, nullable fields, any keyword that is not known here.
 */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  return convert(z.toJSONSchema(schema, { io: 'input' }), 'the schema');
}

function convert(source: Readonly<Record<string, unknown>>, path: string): StructuralSchema {
  refuseUnknown(source, path);
  const kept = plainKeywords.filter((keyword) => source[keyword] !== undefined && !isImpliedLimit(source, keyword));
  const plain = Object.fromEntries(kept.map((keyword) => [keyword, source[keyword]]));
  const properties = { ...children(source['properties'], path), ...children(source[refusedFieldsKey], path) };
  return {
    ...plain,
    ...(isObject(source['default']) && { default: filledDefault(source['default'], properties) }),
    ...(source['type'] === 'integer' && { format: 'int64' }),
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(source['items'] !== undefined && { items: child(source['items'], `${path}[]`) }),
    ...(isObject(source['additionalProperties']) && {
      additionalProperties: child(source['additionalProperties'], `${path}.*`),
    }),
  };
}

/** The API server judges a default as it stands, before it fills in the defaults of the fields below. */
function filledDefault(
  given: unknown,
  properties: Readonly<Record<string, StructuralSchema>>,
): Readonly<Record<string, unknown>> {
  const below = Object.entries(properties).filter(([, schema]) => schema['default'] !== undefined);
  return {
    ...Object.fromEntries(below.map(([name, schema]) => [name, schema['default']])),
    ...z.looseObject({}).parse(given),
  };
}

function refuseUnknown(source: Readonly<Record<string, unknown>>, path: string): void {
  const known = new Set<string>([...plainKeywords, ...handledKeywords]);
  const unknown = Object.keys(source).filter((keyword) => !known.has(keyword));
  if (unknown.length > 0) {
    throw new Error(`${path} uses ${unknown.join(', ')}, which a structural schema does not have`);
  }
  if (typeof source['type'] !== 'string') {
    throw new Error(`${path} has not exactly one type, which a structural schema needs`);
  }
}

/** zod gives every integer the limits that a JavaScript number has. */
function isImpliedLimit(source: Readonly<Record<string, unknown>>, keyword: string): boolean {
  const value = source[keyword];
  return (
    (keyword === 'minimum' && value === Number.MIN_SAFE_INTEGER) ||
    (keyword === 'maximum' && value === Number.MAX_SAFE_INTEGER)
  );
}

function children(source: unknown, path: string): Readonly<Record<string, StructuralSchema>> {
  const schemas = Object.entries(schemaMapSchema.parse(source ?? {}));
  return Object.fromEntries(schemas.map(([name, schema]) => [name, convert(schema, `${path}.${name}`)]));
}

function child(source: unknown, path: string): StructuralSchema {
  return convert(z.looseObject({}).parse(source), path);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
