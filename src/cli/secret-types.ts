import { z } from 'zod';
import { secretTypeObjects } from '../api/v1/resources.ts';
import { secretTypeSpecSchema, type SecretTypeSpec, type ValueSchema } from '../api/v1/secret-type.ts';
import type { KubeClient } from '../kube/client.ts';
import { isForbidden } from '../kube/errors.ts';
import { findObject } from '../kube/find-object.ts';
import { objectMetaSchema, type RawObject } from '../kube/object.ts';
import { parsed } from '../managers/embedded/client/objects.ts';
import { nearestName } from '../runtime/nearest-name.ts';
import { CliError } from './context.ts';

const typeSchema = z.object({ metadata: objectMetaSchema, spec: secretTypeSpecSchema });

export interface KnownType {
  readonly name: string;
  readonly spec: SecretTypeSpec;
}

export async function listTypes(client: KubeClient, signal: AbortSignal): Promise<readonly KnownType[]> {
  const found = await client.list(secretTypeObjects, {}, { signal });
  return found.map(toType).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws CliError where there is no such type */
export async function getType(client: KubeClient, name: string, signal: AbortSignal): Promise<KnownType> {
  const found = await findObject(client, secretTypeObjects, { namespace: '', name }, { signal });
  if (found !== undefined) return toType(found);
  const names = (await listTypes(client, signal)).map((type) => type.name);
  const near = nearestName(name, names);
  const hint = near === undefined ? `There are: ${names.join(', ') || 'none'}` : `Did you mean ${near}?`;
  throw new CliError(`there is no SecretType ${name}. ${hint}`);
}

/** The type of a secret as far as we may see it: the operator judges anyway. */
export async function visibleType(
  client: KubeClient,
  name: string | undefined,
  signal: AbortSignal,
): Promise<KnownType | undefined> {
  if (name === undefined) return undefined;
  try {
    const found = await findObject(client, secretTypeObjects, { namespace: '', name }, { signal });
    return found === undefined ? undefined : toType(found);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

function toType(object: RawObject): KnownType {
  const { metadata, spec } = parsed(typeSchema, object, 'SecretType');
  return { name: metadata.name, spec };
}

/** A schema at any depth. */
export type FieldSchema = Partial<Omit<ValueSchema, 'properties' | 'type'>> & {
  readonly type: ValueSchema['type'];
  readonly properties?: Readonly<Record<string, FieldSchema>> | undefined;
};

export interface Field {
  /** From the top: `['tls', 'crt']`. */
  readonly path: readonly string[];
  readonly required: boolean;
  readonly schema: FieldSchema;
}

/** The parts of an object that have a value of their own: first those that are required, in the order in which the type requires them. */
export function fieldsOf(schema: FieldSchema, path: readonly string[] = [], required = true): readonly Field[] {
  // The API server keeps properties in the order of the alphabet, lists as they were written.
  const { properties = {}, required: names = [] } = schema;
  const below = Object.entries(properties);
  if (schema.type !== 'object' || below.length === 0) return path.length === 0 ? [] : [{ path, required, schema }];
  const place = (name: string): number => (names.includes(name) ? names.indexOf(name) : names.length);
  return below
    .toSorted(([a], [b]) => place(a) - place(b))
    .flatMap(([name, part]) => fieldsOf(part, [...path, name], required && names.includes(name)));
}

/** What a schema says of one part, for people. */
export function rulesOf(schema: FieldSchema): string {
  const { minLength, maxLength, minimum, maximum, pattern, enum: listed } = schema;
  const rules = [
    listed === undefined ? '' : `one of ${listed.join(', ')}`,
    // That it must not be empty says nothing that `required` does not.
    between(minLength === 1 ? undefined : minLength, maxLength, 'characters'),
    between(minimum, maximum, ''),
    pattern === undefined ? '' : `matches ${pattern}`,
  ];
  return rules.filter((rule) => rule !== '').join('; ');
}

function between(least: number | undefined, most: number | undefined, what: string): string {
  const end = what === '' ? '' : ` ${what}`;
  if (least !== undefined && most !== undefined) return `${least} to ${most}${end}`;
  if (least !== undefined) return `at least ${least}${end}`;
  return most === undefined ? '' : `at most ${most}${end}`;
}
