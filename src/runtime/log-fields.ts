import { describeError } from './errors.ts';
import type { LogFields } from './logger.ts';

/** What is left of a field: plain JSON. */
export type SafeField =
  | string
  | number
  | boolean
  | null
  | readonly SafeField[]
  | { readonly [name: string]: SafeField };

const maxDepth = 6;

/**
 * The fields of a record as plain JSON that may be written: errors, wherever they stand, as `describeError` has them; bytes as `[bytes]`;
 * anything with `toJSON` as that says, so a `SecretValue` is `[redacted]`. Maps and sets, which hold parsed values, show their size only.
 */
export function safeFields(fields: LogFields): Readonly<Record<string, SafeField>> {
  const entries: [string, SafeField][] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) {
      entries.push([name, safeField(value, 0)]);
    }
  }
  return Object.fromEntries(entries);
}

function safeField(value: unknown, depth: number): SafeField {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) {
    return value;
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? value : String(value);
  }
  if (typeof value === 'object') {
    return safeObject(value, depth);
  }
  return typeof value === 'bigint' ? String(value) : `[${typeof value}]`;
}

function safeObject(value: object, depth: number): SafeField {
  if (value instanceof Error) {
    return describeError(value).error;
  }
  // Before `toJSON`: that of a Buffer lists its bytes.
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return '[bytes]';
  }
  if (value instanceof Map || value instanceof Set) {
    return `[${value.size} entries]`;
  }
  if (depth >= maxDepth) {
    return '[too deep]';
  }
  try {
    return safeParts(value, depth + 1);
  } catch {
    // A getter or `toJSON` that throws must not stop the caller of a log.
    return '[unreadable]';
  }
}

function safeParts(value: object, depth: number): SafeField {
  if (replacesItself(value)) {
    return safeField(value.toJSON(), depth);
  }
  if (Array.isArray(value)) {
    return value.map((part: unknown) => safeField(part, depth));
  }
  const parts = Object.entries(value).map(([name, part]: [string, unknown]) => [name, safeField(part, depth)] as const);
  return Object.fromEntries(parts);
}

function replacesItself(value: object): value is { toJSON: () => unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}
