import type { KeyStyle } from '../../../api/v1/secret-reference.ts';
import { SecretValue } from '../../../managers/secret-value.ts';
import { ContentError, quoted } from './content-error.ts';
import { jsonCompact, jsonDepth, jsonItems, jsonMembers, jsonString } from './json-text.ts';
import { isForbiddenName, keyName } from './key-name.ts';

const MAX_SIZE = 1_048_576;
const MAX_DEPTH = 32;
const MAX_PATH = 1024;
/** Objects and arrays that one path is looked for in: far more than it is deep, for names with dots. */
const MAX_LOOKS = 256;
const INDEX = /^(?:0|[1-9]\d{0,6})$/u;

/**
 * One property of a JSON value. Dots in `path` go into objects, numbers into arrays (`users.0.name`); a name that has dots itself wins
 * over the path, the longest first. Strings come as they are, numbers and booleans as they are written in the JSON text (`1.0`, every
 * digit of a big integer), objects and arrays as JSON without whitespace.
 * @throws ContentError `PropertyNotFound`, `InvalidValue` (not JSON, null, a name on the path stands twice) or `LimitExceeded`
 */
export function extractProperty(value: SecretValue, path: string): SecretValue {
  if (path.length > MAX_PATH) {
    throw new ContentError('InvalidValue', `the property path is longer than ${MAX_PATH} characters`);
  }
  const forbidden = path.split('.').find(isForbiddenName);
  if (forbidden !== undefined) {
    throw new ContentError('InvalidValue', `the name ${quoted(forbidden)} is not allowed in a property path`);
  }
  const json = parsedText(value);
  if (!json.startsWith('{') && !json.startsWith('[')) {
    throw new ContentError(
      'InvalidValue',
      `the value is not a JSON object or array, so it has no property ${quoted(path)}`,
    );
  }
  const found = findProperty(json, path, { path, looks: 0 });
  if (found === undefined) {
    const how = 'dots go into objects, numbers into arrays, upper and lower case differ';
    throw new ContentError('PropertyNotFound', `the JSON value has no property ${quoted(path)} (${how})`);
  }
  if (found === 'null') throw new ContentError('InvalidValue', `the property ${quoted(path)} is null`);
  return scalarOrJson(found);
}

/**
 * The properties of a JSON object, each as `extractProperty` gives it, by the keys that they get in `style` (as they are, without one).
 * @throws ContentError `InvalidValue` (not a JSON object; names that can't be keys, are repeated or get the same key; nulls) or
 * `LimitExceeded`. It tells how many are at fault, not which: their names are part of the value.
 */
export function extractAll(value: SecretValue, style: KeyStyle = { style: 'AsIs' }): ReadonlyMap<string, SecretValue> {
  const json = parsedText(value);
  if (!json.startsWith('{'))
    throw new ContentError('InvalidValue', 'the value is not a JSON object: extract needs one');
  const members = jsonMembers(json);
  const named = [...members].map(([name, texts]) => ({ key: keyOrNothing(style, name), texts }));
  refuseIf(
    named.filter(({ key }) => key === undefined).length,
    "with a name that can't be a key of a Secret; use keys.style: EnvVar, or name each in data with its property",
  );
  refuseIf(named.filter(({ texts }) => texts.length > 1).length, 'that stands twice in the object');
  refuseIf(named.filter(({ texts }) => texts[0] === 'null').length, 'that is null');
  refuseIf(
    named.length - new Set(named.map(({ key }) => key)).size,
    'with the same key as another after keys was applied',
  );
  const entries = named.flatMap(({ key, texts: [text] }) =>
    key === undefined || text === undefined ? [] : [[key, scalarOrJson(text)] as const],
  );
  return new Map(entries);
}

/**
 * The bytes behind base64 text, in the standard or the URL-safe alphabet, with padding or without; line breaks and surrounding
 * whitespace do not matter. Anything else is refused, where Node's own decoder skips it.
 * @throws ContentError `InvalidValue` or `LimitExceeded`
 */
export function decodeBase64(value: SecretValue): SecretValue {
  const text = textOf(value, 'the value is not base64').trim().replaceAll(/\r?\n/gu, '');
  const standard = /^[A-Za-z0-9+/]*={0,2}$/u.test(text);
  const urlSafe = /^[A-Za-z0-9_-]*={0,2}$/u.test(text);
  if (!standard && !urlSafe)
    throw new ContentError('InvalidValue', 'the value is not base64; remove decode if it is not meant to be');
  const digits = text.replace(/=+$/u, '');
  const encoding = standard ? 'base64' : 'base64url';
  const bytes = Buffer.from(digits, encoding);
  const canonical = bytes.toString(encoding).replace(/=+$/u, '') === digits;
  const padded = digits === text || text.length % 4 === 0;
  if (!canonical || !padded)
    throw new ContentError('InvalidValue', 'the value is not base64: its end is cut off or wrong');
  return SecretValue.fromBytes(bytes);
}

function keyOrNothing(style: KeyStyle, name: string): string | undefined {
  if (isForbiddenName(name)) return undefined;
  try {
    return keyName(style, name);
  } catch {
    return undefined;
  }
}

function refuseIf(count: number, fault: string): void {
  if (count === 0) return;
  throw new ContentError(
    'InvalidValue',
    `the JSON object has ${count} ${count === 1 ? 'property' : 'properties'} ${fault}`,
  );
}

/**
 * The first way along the path that ends somewhere: at each object the longest name first. Only names that are there are tried, and in so many
 * objects at most: value and path are other people's, and could be made for a search without end.
 */
function findProperty(json: string, rest: string | undefined, search: Search): string | undefined {
  if (rest === undefined) return json;
  countLook(search);
  if (json.startsWith('{')) return findInObject(jsonMembers(json), rest, search);
  const [first = ''] = rest.split('.', 1);
  const item = json.startsWith('[') && INDEX.test(first) ? jsonItems(json)[Number(first)] : undefined;
  return item === undefined ? undefined : findProperty(item, restAfter(rest, first), search);
}

/** @throws ContentError `LimitExceeded` */
function countLook(search: Search): void {
  search.looks += 1;
  if (search.looks <= MAX_LOOKS) return;
  const problem = `the path ${quoted(search.path)} can be read in too many ways in this JSON value: name its properties without dots`;
  throw new ContentError('LimitExceeded', problem);
}

function findInObject(members: JsonMembers, rest: string, search: Search): string | undefined {
  const candidates = [...members.keys()].filter((name) => rest === name || rest.startsWith(`${name}.`));
  for (const name of candidates.toSorted((a, b) => b.length - a.length)) {
    const [text, repeated] = members.get(name) ?? [];
    if (repeated !== undefined) {
      throw new ContentError(
        'InvalidValue',
        `a name on the path ${quoted(search.path)} stands twice in the same object of the JSON value`,
      );
    }
    const found = text === undefined ? undefined : findProperty(text, restAfter(rest, name), search);
    if (found !== undefined) return found;
  }
  return undefined;
}

type JsonMembers = ReturnType<typeof jsonMembers>;

interface Search {
  readonly path: string;
  looks: number;
}

/** What is left of a path behind a name that it begins with; undefined at its end. */
function restAfter(rest: string, name: string): string | undefined {
  return rest.length === name.length ? undefined : rest.slice(name.length + 1);
}

function scalarOrJson(json: string): SecretValue {
  if (!json.startsWith('"')) return SecretValue.fromString(jsonCompact(json));
  const text = jsonString(json);
  if (text.isWellFormed()) return SecretValue.fromString(text);
  throw new ContentError(
    'InvalidValue',
    'a string of the JSON value has half a surrogate pair in it, which no text can hold',
  );
}

/** The value as text that is valid JSON, without surrounding whitespace. */
function parsedText(value: SecretValue): string {
  const text = textOf(value, 'the value is not JSON').trim();
  if (jsonDepth(text) > MAX_DEPTH) {
    throw new ContentError('LimitExceeded', `the JSON value is nested deeper than ${MAX_DEPTH} levels`);
  }
  try {
    JSON.parse(text);
  } catch {
    // The parser's own error is dropped: it quotes the value.
    throw new ContentError('InvalidValue', 'the value is not JSON, so nothing can be taken out of it');
  }
  return text;
}

function textOf(value: SecretValue, problem: string): string {
  if (value.size > MAX_SIZE) {
    throw new ContentError(
      'LimitExceeded',
      `the value is larger than 1 MiB, which is as far as keyferry looks into one`,
    );
  }
  try {
    return value.asString();
  } catch {
    throw new ContentError('InvalidValue', `${problem}: it is not even UTF-8 text`);
  }
}
