import { RE2JS } from 're2js';
import type { ValueSchema } from '../../../api/v1/secret-type.ts';
import type { SecretValue } from '../../secret-value.ts';
import { type Json, readJson } from './read-json.ts';

/** A rule that a value breaks. Neither path nor message has anything of the value in it: the path is the schema's. */
export interface ValueMistake {
  /** Where in the schema: empty for the value as a whole, else `user.name`. */
  readonly path: string;
  readonly rule: string;
  readonly message: string;
}

/** A schema at any depth: the deepest is no object. */
type Level = Partial<Omit<ValueSchema, 'properties' | 'type'>> & {
  readonly type: ValueSchema['type'];
  readonly properties?: Readonly<Record<string, Level>> | undefined;
};

/**
 * RE2 takes time in proportion to the size of the pattern times the length of the text, which still may be many seconds. So much of it, and no more, is
 * done for one value: about half a second.
 */
const MAX_MATCHING = 10_000_000;
/** What a pattern costs before it looks at a text, as if the text was so much longer. */
const COMPILING = 100;

/** What is left of `MAX_MATCHING`. */
interface Budget {
  left: number;
}

/** Which rule of a type a value breaks first; undefined where it fits. A string at the top is the value as text, all else is JSON. */
export function checkValue(value: SecretValue, schema: ValueSchema): ValueMistake | undefined {
  let text: string;
  try {
    text = value.asString();
  } catch {
    return { path: '', rule: 'type', message: 'the value is not text (UTF-8)' };
  }
  const budget = { left: MAX_MATCHING };
  if (schema.type === 'string') return check(text, schema, '', budget);
  const read = readJson(text);
  if (read === undefined)
    return { path: '', rule: 'type', message: `the value is not JSON: it must be ${article(schema.type)}` };
  if ('mistake' in read) return { path: '', rule: read.mistake.rule, message: `the value ${read.mistake.message}` };
  return check(read.json, schema, '', budget);
}

/** Why a schema can't be used, as a sentence; undefined for a good one. */
export function schemaMistake(schema: ValueSchema): string | undefined {
  for (const [path, level] of levels(schema, '')) {
    if (level.pattern !== undefined && compile(level.pattern) === undefined) {
      return `${at(path)}pattern is not a regular expression of RE2`;
    }
  }
  return undefined;
}

function check(json: Json, schema: Level, path: string, budget: Budget): ValueMistake | undefined {
  const wrong = (rule: string, message: string): ValueMistake => ({ path, rule, message: `${at(path)}${message}` });
  if (typeOf(json) !== schema.type) return wrong('type', `must be ${article(schema.type)}`);
  if (!isListed(json, schema.enum)) return wrong('enum', `must be one of the values that the type lists`);
  if (typeof json === 'string') return checkText(json, schema, wrong, budget);
  if (typeof json === 'number') return checkNumber(json, schema, wrong);
  return json instanceof Map ? checkObject(json, schema, path, budget) : undefined;
}

function isListed(json: Json, listed: readonly string[] | undefined): boolean {
  return listed === undefined || (typeof json !== 'object' && listed.includes(String(json)));
}

type Wrong = (rule: string, message: string) => ValueMistake;

function checkText(text: string, schema: Level, wrong: Wrong, budget: Budget): ValueMistake | undefined {
  const { minLength = 0, maxLength = Infinity, pattern } = schema;
  const length = Array.from(text).length;
  if (length < minLength) return wrong('minLength', `must have at least ${minLength} characters`);
  if (length > maxLength) return wrong('maxLength', `must have at most ${maxLength} characters`);
  if (pattern === undefined) return undefined;
  const compiled = compile(pattern);
  budget.left -= (compiled?.programSize() ?? 0) * (text.length + COMPILING);
  if (budget.left < 0) return wrong('pattern', 'is too long to be compared with the pattern of the type');
  // A pattern that can't be compiled matches nothing.
  return compiled?.matcher(text).find() === true ? undefined : wrong('pattern', `must match ${pattern}`);
}

function checkNumber(number: number, schema: Level, wrong: Wrong): ValueMistake | undefined {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  // JSON may say 1e999.
  if (!Number.isFinite(number)) return wrong('type', 'must be a number that is not beyond all bounds');
  if (number < minimum) return wrong('minimum', `must be at least ${minimum}`);
  if (number > maximum) return wrong('maximum', `must be at most ${maximum}`);
  return undefined;
}

function checkObject(
  object: ReadonlyMap<string, Json>,
  schema: Level,
  path: string,
  budget: Budget,
): ValueMistake | undefined {
  const below = propertiesOf(schema);
  const missing = (schema.required ?? []).filter((name) => !object.has(name));
  if (missing.length > 0) {
    const what = missing.length === 1 ? 'property' : 'properties';
    return { path, rule: 'required', message: `${at(path)}must have the ${what} ${missing.join(', ')}` };
  }
  if (schema.additionalProperties === false && Array.from(object.keys()).some((name) => !below.has(name))) {
    return { path, rule: 'additionalProperties', message: `${at(path)}has a property that the type does not name` };
  }
  for (const [name, level] of below) {
    const json = object.get(name);
    const mistake = json === undefined ? undefined : check(json, level, path === '' ? name : `${path}.${name}`, budget);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

function propertiesOf({ properties = {} }: Level): ReadonlyMap<string, Level> {
  return new Map(Object.entries(properties));
}

function* levels(schema: Level, path: string): Generator<readonly [path: string, level: Level]> {
  yield [path, schema];
  for (const [name, level] of propertiesOf(schema)) yield* levels(level, path === '' ? name : `${path}.${name}`);
}

function typeOf(json: Json): string {
  if (json instanceof Map) return 'object';
  if (json === null) return 'null';
  return Array.isArray(json) ? 'array' : typeof json;
}

function compile(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}

function at(path: string): string {
  return path === '' ? 'the value ' : `${path} `;
}

function article(type: string): string {
  return type === 'object' ? 'an object' : `a ${type}`;
}
