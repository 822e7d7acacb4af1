/** JSON with its objects as maps, as deep as a schema can look: what is below is left out. */
export type Json = string | number | boolean | null | readonly [] | ReadonlyMap<string, Json>;

/** Why a text can't be judged, in a sentence that has nothing of it. */
export interface JsonMistake {
  readonly rule: string;
  readonly message: string;
}

/** A schema names objects three deep, and scalars below. */
const DEPTH = 4;
/** How deep a value may nest altogether. */
const MAX_NESTING = 64;
const reserved: ReadonlySet<unknown> = new Set(['__proto__', 'constructor', 'prototype']);

/** Undefined for what is not JSON. Nothing of the parser's own error gets out: it quotes the text. */
export function readJson(text: string): { readonly json: Json } | { readonly mistake: JsonMistake } | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const mistake = ambiguity(text);
    return mistake === undefined ? { json: limited(parsed, DEPTH) } : { mistake };
  } catch {
    return undefined;
  }
}

/** A string, with the colon behind it where it is a property's name, or a bracket. All else of JSON has no structure. */
const structure = /("[^"\\]*(?:\\.[^"\\]*)*")([ \t\r\n]*:)?|[{}[\]]/g;

/** What different readers take for different things: a type must not let it pass to whoever reads the value in the end. `text` is JSON. */
function ambiguity(text: string): JsonMistake | undefined {
  const open: Set<unknown>[] = [];
  for (const [token, name, colon] of text.matchAll(structure)) {
    if (token === '}' || token === ']') open.pop();
    if (token === '{' || token === '[') open.push(new Set());
    if (open.length > MAX_NESTING) return { rule: 'nesting', message: `nests more than ${MAX_NESTING} deep` };
    const mistake = name === undefined || colon === undefined ? undefined : nameMistake(name, open.at(-1) ?? new Set());
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

/** What is wrong with a property's name, which `known` learns. */
function nameMistake(quoted: string, known: Set<unknown>): JsonMistake | undefined {
  const name: unknown = JSON.parse(quoted);
  if (known.has(name)) return { rule: 'unique', message: 'has a property twice in one object' };
  known.add(name);
  return reserved.has(name)
    ? { rule: 'reserved', message: `has a property that is called ${[...reserved].join(' or ')}` }
    : undefined;
}

function limited(value: unknown, depth: number): Json {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return [];
  if (depth === 0) return new Map();
  return new Map(Object.entries(value).map(([name, part]) => [name, limited(part, depth - 1)]));
}
