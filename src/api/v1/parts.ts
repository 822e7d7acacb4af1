import { z } from 'zod';

/** A rule in CEL that the API server checks, and what it says to whoever breaks it: the right form, not only the mistake. */
export type Rule =
  | { readonly rule: string; readonly message: string }
  | { readonly rule: string; readonly messageExpression: string };

/** The metadata that carries CEL rules into the CRD. */
export function checks(...rules: readonly Rule[]): { readonly 'x-kubernetes-validations': readonly Rule[] } {
  return { 'x-kubernetes-validations': rules };
}

export interface TextOptions {
  readonly description: string;
  /** In characters. Also what makes the cost of a CEL rule countable. */
  readonly maxLength: number;
  /** 1 by default. */
  readonly minLength?: number;
  readonly format?: 'date-time';
  readonly rules?: readonly Rule[];
}

/**
 * A string with limits. They are the API server's to enforce and stand in the schema's metadata, not in its parser: an object that a
 * former CRD let in must stay readable.
 */
export function text(options: TextOptions): z.ZodString {
  const { rules = [], minLength = 1, ...limits } = options;
  return z.string().meta({ ...limits, ...(minLength > 0 && { minLength }), ...(rules.length > 0 && checks(...rules)) });
}

/** A CEL literal of a text, also of a regular expression (RE2). */
export function celString(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A CEL list of texts. */
export function celStrings(texts: readonly string[]): string {
  return `[${texts.map(celString).join(', ')}]`;
}

const noControlCharacters: Rule = {
  rule: `!self.matches(${celString('\\p{C}')})`,
  message: 'control and invisible characters are not allowed here',
};

/** Free text of one line. */
export function line(description: string, maxLength: number, ...rules: readonly Rule[]): z.ZodString {
  return text({ description, maxLength, rules: [noControlCharacters, ...rules] });
}

/** The name of a secret in its manager. */
export function secretName(description: string): z.ZodString {
  return line(description, 512);
}

/** RE2. */
export const objectNameForm = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

/** The name of a Kubernetes object (RFC 1123 subdomain). */
export function objectName(description: string): z.ZodString {
  return text({
    description,
    maxLength: 253,
    rules: [
      {
        rule: `self.matches(${celString(objectNameForm)})`,
        message: 'must be the name of a Kubernetes object: lower-case letters, digits, - and ., for example api-db',
      },
    ],
  });
}

const secretKeyForm = '^[-._a-zA-Z0-9]{1,253}$';
const refusedKeys = celStrings(['.', '..', '__proto__', 'constructor', 'prototype']);

/** The name of one key of a Kubernetes Secret, as a field's value. */
export function secretKey(description: string): z.ZodString {
  return text({
    description,
    maxLength: 253,
    rules: [
      {
        rule: `self.matches(${celString(secretKeyForm)})`,
        message: 'must be a key of a Secret: letters, digits, -, _ and ., for example access-key-id',
      },
    ],
  });
}

/** Rules for a map whose keys become keys of a Secret. `example` is one right line of it. */
export function secretKeys(example: string): readonly Rule[] {
  const wrong = `!k.matches(${celString(secretKeyForm)})`;
  return [
    {
      rule: `!self.exists(k, ${wrong})`,
      messageExpression: `'"' + self.filter(k, ${wrong})[0] + '" cannot be a key of a Secret: use letters, digits, -, _ and ., at most 253 characters, for example ${example}'`,
    },
    {
      rule: `!self.exists(k, k in ${refusedKeys})`,
      messageExpression: `'"' + self.filter(k, k in ${refusedKeys})[0] + '" cannot be a key: this name is reserved. Use another, for example ${example}'`,
    },
  ];
}

const durationForm = '^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?([0-9]{1,6}ms)?$';

/** A length of time such as `30s`, `10m` or `1h30m`, from one second to `most`: one year where nothing else is said. */
export function duration(description: string, most = '8760h', example = '10m'): z.ZodString {
  const wellFormed = `self.matches(${celString(durationForm)})`;
  return text({
    description,
    maxLength: 30,
    rules: [
      { rule: wellFormed, message: 'must be a duration such as 30s, 10m or 1h30m' },
      {
        rule: `!${wellFormed} || (duration(self) >= duration('1s') && duration(self) <= duration('${most}'))`,
        message: `must be from 1s to ${most}, for example ${example}`,
      },
    ],
  });
}

export interface MapOptions {
  readonly description: string;
  readonly maxProperties: number;
  readonly rules?: readonly Rule[];
}

/** A map with limits; see `text` for who enforces them. */
export function map<T extends z.ZodType>(value: T, options: MapOptions): z.ZodRecord<z.ZodString, T> {
  const { rules = [], ...limits } = options;
  return z.record(z.string(), value).meta({ ...limits, ...(rules.length > 0 && checks(...rules)) });
}

export interface ListOptions {
  readonly description: string;
  readonly maxItems: number;
  readonly minItems?: number;
  readonly rules?: readonly Rule[];
}

/** A list that is replaced as a whole, with limits; see `text` for who enforces them. */
export function list<T extends z.ZodType>(item: T, options: ListOptions): z.ZodArray<T> {
  const { rules = [], ...limits } = options;
  return z.array(item).meta({
    ...limits,
    'x-kubernetes-list-type': 'atomic',
    ...(rules.length > 0 && checks(...rules)),
  });
}
