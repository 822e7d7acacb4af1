/*
 * Reads JSON by where its parts stand in the text, so that numbers keep every digit and repeated names are seen; `JSON.parse` gives
 * neither. All functions but `jsonDepth` expect text that `JSON.parse` has accepted, without surrounding whitespace; none recurses.
 */

/** How deep objects and arrays are nested; takes any text, JSON or not. */
export function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') at = endOfString(text, at) - 1;
    else depth += depthChange(char);
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** The properties of an object: each name with the texts of its values, more than one where the name is repeated. */
export function jsonMembers(object: string): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, string[]>();
  let at = skipSpace(object, 1);
  while (object.charAt(at) === '"') {
    const nameEnd = endOfString(object, at);
    const name = jsonString(object.slice(at, nameEnd));
    // Past the colon.
    const start = skipSpace(object, skipSpace(object, nameEnd) + 1);
    const end = endOfValue(object, start);
    const values = members.get(name) ?? [];
    values.push(object.slice(start, end));
    members.set(name, values);
    at = nextPart(object, end);
  }
  return members;
}

/** The texts of an array's items. */
export function jsonItems(array: string): readonly string[] {
  const items: string[] = [];
  let at = skipSpace(array, 1);
  while (at < array.length && array.charAt(at) !== ']') {
    const end = endOfValue(array, at);
    items.push(array.slice(at, end));
    at = nextPart(array, end);
  }
  return items;
}

/** What a JSON string stands for. */
export function jsonString(text: string): string {
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === 'string' ? parsed : '';
}

/** The same JSON without whitespace between its parts. */
export function jsonCompact(text: string): string {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '"') {
      at = endOfString(text, at);
    } else if (isSpace(char)) {
      parts.push(text.slice(start, at));
      at = skipSpace(text, at);
      start = at;
    } else {
      at += 1;
    }
  }
  parts.push(text.slice(start));
  return parts.join('');
}

/** The index after the comma and the space behind a value that ends at `end`, or of the closing bracket. */
function nextPart(text: string, end: number): number {
  const at = skipSpace(text, end);
  return text.charAt(at) === ',' ? skipSpace(text, at + 1) : at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charAt(at))) at += 1;
  return at;
}

/** The index after the closing quote of the string that begins at `from`, or the text's end where there is none. */
function endOfString(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? text.length : quote + 1;
}

/** True where an odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charAt(before - 1) === '\\') before -= 1;
  return (at - before) % 2 === 1;
}

function endOfValue(text: string, from: number): number {
  const first = text.charAt(from);
  if (first === '"') return endOfString(text, from);
  return first === '{' || first === '[' ? endOfBrackets(text, from) : endOfWord(text, from);
}

/** The index after the bracket that closes the one at `from`. */
function endOfBrackets(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') at = endOfString(text, at) - 1;
    else depth += depthChange(char);
    if (depth === 0) return at + 1;
  }
  return text.length;
}

function endOfWord(text: string, from: number): number {
  let at = from;
  while (/[-+.\w]/u.test(text.charAt(at))) at += 1;
  return at;
}

function depthChange(char: string): number {
  if (char === '{' || char === '[') return 1;
  return char === '}' || char === ']' ? -1 : 0;
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r';
}
