import { checks } from './parts.ts';

/** A field that is known only so that it can be refused with a reason: an unknown one would be dropped in silence. */
export interface RefusedField {
  readonly type: 'string' | 'boolean' | 'array' | 'object';
  readonly message: string;
}

/** The key under which a schema's metadata lists its refused fields. They exist in the CRD only: no parsed object ever has them. */
export const refusedFieldsKey = 'x-keyferry-refused-fields';

/** The metadata that adds refused fields to an object in the CRD. */
export function refusedFields(fields: Readonly<Record<string, RefusedField>>): Readonly<Record<string, unknown>> {
  const schemas = Object.entries(fields).map(([name, field]) => [name, refusedSchema(field)] as const);
  return { [refusedFieldsKey]: Object.fromEntries(schemas) };
}

function refusedSchema({ type, message }: RefusedField): Readonly<Record<string, unknown>> {
  return {
    description: `Refused here: ${message}.`,
    type,
    ...(type === 'array' && {
      items: { description: 'Anything.', type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    }),
    ...(type === 'object' && { 'x-kubernetes-preserve-unknown-fields': true }),
    ...checks({ rule: 'false', message }),
  };
}
