import { SecretValue } from '../managers/secret-value.ts';
import { CliError, type Io } from './context.ts';
import { type Field, fieldsOf, type KnownType, rulesOf } from './secret-types.ts';

type Json = string | number | boolean | Map<string, Json>;

/** Whether a value of a type is asked for field by field. */
export function hasForm({ spec }: KnownType): boolean {
  return spec.schema.type === 'object' && fieldsOf(spec.schema).length > 0;
}

/** Asks for each field without echo, and makes JSON of them. A field that may be left out is, where nothing is typed. */
export async function askForm(io: Io, type: KnownType): Promise<SecretValue> {
  io.note(`${type.spec.displayName ?? type.name}: one field after another, nothing that is typed is shown.`);
  const root = new Map<string, Json>();
  for (const field of fieldsOf(type.spec.schema)) {
    const json = await askField(io, field);
    if (json !== undefined) place(root, field.path, json);
  }
  if (root.size === 0) throw new CliError('nothing was typed: nothing was put');
  return SecretValue.fromString(JSON.stringify(plain(root)));
}

async function askField(io: Io, field: Field): Promise<Json | undefined> {
  for (;;) {
    const text = await io.askHidden(`${titleOf(field)}: `);
    if (text === '' && !field.required) return undefined;
    const json = text === '' ? undefined : typed(field, text);
    if (json !== undefined) return json;
    io.note(text === '' ? 'it is required' : `it must be a ${field.schema.type}`);
  }
}

function titleOf({ path, required, schema }: Field): string {
  const title = schema.title === undefined ? '' : ` - ${schema.title}`;
  const hints = [required ? '' : 'may be left out', rulesOf(schema)].filter((hint) => hint !== '');
  return `${path.join('.')}${title}${hints.length === 0 ? '' : ` (${hints.join('; ')})`}`;
}

/** Undefined where the text is of another type than the field. */
function typed({ schema }: Field, text: string): Json | undefined {
  if (schema.type === 'string') return text;
  if (schema.type === 'boolean') return text === 'true' || text === 'false' ? text === 'true' : undefined;
  if (schema.type === 'number') return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined;
  return objectOf(text);
}

/** An object without named fields is typed as JSON. The parser's own error is dropped: it quotes the text. */
function objectOf(text: string): Map<string, Json> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
    return isObject ? new Map(Object.entries(json)) : undefined;
  } catch {
    return undefined;
  }
}

function place(root: Map<string, Json>, path: readonly string[], json: Json): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    root.set(first, json);
    return;
  }
  const below = root.get(first);
  const map = below instanceof Map ? below : new Map<string, Json>();
  root.set(first, map);
  place(map, rest, json);
}

function plain(json: Json): unknown {
  if (!(json instanceof Map)) return json;
  return Object.fromEntries(Array.from(json, ([name, part]) => [name, plain(part)]));
}
