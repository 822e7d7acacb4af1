import type { KeyStyle } from '../../../api/v1/secret-reference.ts';
import { ContentError } from './content-error.ts';

const VALID_KEY = /^[-._a-zA-Z0-9]{1,253}$/;
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Names that mean something to JavaScript objects: refused as keys and in property paths, whatever carries them. */
export function isForbiddenName(name: string): boolean {
  return FORBIDDEN.has(name);
}

/** True where Kubernetes takes `key` as a key of a Secret and we do, too. */
export function isSecretKey(key: string): boolean {
  return VALID_KEY.test(key) && key !== '.' && !key.startsWith('..') && !isForbiddenName(key);
}

/**
 * The key that a name from a manager gets in the Secret: `app/feature-db.password` is `FEATURE_DB_PASSWORD` in the style EnvVar
 * without its prefix `app/`. Two names may get the same key: the caller looks for that. `folded` is the form in which the manager compares names.
 * @throws ContentError `InvalidValue` where no valid key comes out. It does not tell the name, which may stand inside a value.
 */
export function keyName(style: KeyStyle, name: string, folded = (text: string): string => text): string {
  const { stripPrefix = '' } = style;
  const stripped = folded(name).startsWith(folded(stripPrefix)) ? name.slice(stripPrefix.length) : name;
  if (stripped === '')
    throw new ContentError('InvalidValue', 'nothing is left of the name without keys.stripPrefix: shorten the prefix');
  const key = style.style === 'EnvVar' ? environmentName(stripped) : stripped;
  if (isSecretKey(key)) return key;
  throw new ContentError('InvalidValue', `the name can't be a key of a Secret: ${fixFor(style, stripped)}`);
}

function environmentName(name: string): string {
  const upper = name.replaceAll(/[^A-Za-z0-9]/gu, '_').toUpperCase();
  return /^\d/u.test(upper) ? `_${upper}` : upper;
}

function fixFor(style: KeyStyle, name: string): string {
  if (isForbiddenName(name)) return 'names that are special to JavaScript are refused; rename it';
  if (style.style === 'EnvVar') return 'it is longer than 253 characters; use keys.stripPrefix, or name it in data';
  return "keys are 1 to 253 of letters, digits, '-', '_' and '.', and do not begin with '..'; use keys.style: EnvVar or keys.stripPrefix";
}
