/** JSON with its objects as maps, as deep as a schema can look: what is below is left out. */
export type Json = string | number | boolean | null | readonly [] | ReadonlyMap<string, Json>;

/** A schema names objects three deep, and scalars below. */
const DEPTH = 4;

/** Undefined for what is not JSON. Nothing of the parser's own error gets out: it quotes the text. */
export function readJson(text: string): Json | undefined {
  try {
    return limited(JSON.parse(text), DEPTH);
  } catch {
    return undefined;
  }
}

function limited(value: unknown, depth: number): Json {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) return [];
  if (depth === 0) return new Map();
  return new Map(Object.entries(value).map(([name, part]) => [name, limited(part, depth - 1)]));
}
