import { createHash } from 'node:crypto';

/** A text that must not hold a secret value. */
export interface Writing {
  /** What it is, for the message. */
  readonly where: string;
  readonly text: string;
}

/** Bytes of a value that are a leak by themselves. */
const FRAGMENT = 8;
/** Characters that are compared first. No needle is shorter. */
const HEAD = 8;
/** Characters of a digest that are a leak by themselves. */
const DIGEST_PART = 12;

interface Needle {
  readonly text: string;
  readonly form: string;
}

/**
 * Looks for values in texts: as they are, in base64, hex, UTF-16 or percent-encoded, any eight bytes of them in one of these forms, and the beginning of
 * their digests. Gives a line for each find, without the value.
 */
export function findCanaries(canaries: readonly string[], writings: readonly Writing[]): readonly string[] {
  return writings.flatMap(canaryFinder(canaries));
}

/** The same for texts that come one after the other. */
export function canaryFinder(canaries: readonly string[]): (writing: Writing) => readonly string[] {
  const needles = new Map<string, Needle[]>();
  const marks = new Uint8Array(MARKS);
  for (const [index, canary] of canaries.entries()) {
    for (const needle of needlesOf(canary, `canary ${index}`)) {
      const head = needle.text.slice(0, HEAD);
      const known = needles.get(head);
      if (known === undefined) needles.set(head, [needle]);
      else known.push(needle);
      marks[markOf(head, 0)] = 1;
    }
  }
  return ({ where, text }) => findsIn(text, needles, marks).map((form) => `${where} has ${form}`);
}

const MARKS = 2 ** 20;

/** Four characters as a number: most places of a text are ruled out by it. */
function markOf(text: string, at: number): number {
  const [first, second] = [text.charCodeAt(at), text.charCodeAt(at + 1)];
  const [third, fourth] = [text.charCodeAt(at + 2), text.charCodeAt(at + 3)];
  return (first * 2_097_593 + second * 16_411 + third * 131 + fourth) % MARKS;
}

function findsIn(text: string, needles: ReadonlyMap<string, readonly Needle[]>, marks: Uint8Array): readonly string[] {
  const finds = new Set<string>();
  for (let at = 0; at + HEAD <= text.length; at += 1) {
    if (marks[markOf(text, at)] === 0) continue;
    const candidates = needles.get(text.slice(at, at + HEAD)) ?? [];
    for (const needle of candidates) if (text.startsWith(needle.text, at)) finds.add(needle.form);
  }
  return [...finds];
}

function needlesOf(canary: string, name: string): readonly Needle[] {
  const bytes = Buffer.from(canary);
  if (bytes.length < FRAGMENT) throw new Error(`${name} has fewer than ${FRAGMENT} bytes: it may be found by chance`);
  const fragments = Array.from({ length: bytes.length - FRAGMENT + 1 }, (_, start) =>
    bytes.subarray(start, start + FRAGMENT),
  );
  const encoded = encodeURIComponent(canary);
  return [
    ...fragments.flatMap((fragment) => fragmentNeedles(fragment, name)),
    ...(encoded === canary ? [] : [{ text: encoded, form: `${name}, percent-encoded` }]),
    ...['md5', 'sha1', 'sha256', 'sha512'].flatMap((algorithm) => digestNeedles(bytes, algorithm, name)),
  ];
}

function fragmentNeedles(fragment: Buffer, name: string): readonly Needle[] {
  const raw = fragment.toString();
  const hex = fragment.toString('hex');
  const plain = Buffer.from(raw).equals(fragment) ? [raw, JSON.stringify(raw).slice(1, -1)] : [];
  return [
    ...plain.map((text) => ({ text, form: `${name}, as it is` })),
    ...[hex, hex.toUpperCase()].map((text) => ({ text, form: `${name}, in hex` })),
    ...[0, 1, 2].flatMap((offset) => base64Needles(fragment, offset, name)),
    ...(plain.length === 0 ? [] : utf16Needles(raw, name)),
  ];
}

/** As bytes, two for each character, in either order. The text that is searched has a character for each byte. */
function utf16Needles(text: string, name: string): readonly Needle[] {
  const little = Buffer.from(text, 'utf16le');
  return [little, Buffer.from(little).swap16()].flatMap((bytes) => {
    const encoded = [0, 1, 2].flatMap((offset) => base64Needles(bytes, offset, `${name}, in UTF-16`));
    return encoded.concat({ text: bytes.toString('latin1'), form: `${name}, in UTF-16` });
  });
}

/** The characters of base64 that hold nothing but the fragment, where it begins `offset` bytes after a group of three. */
function base64Needles(fragment: Buffer, offset: number, name: string): readonly Needle[] {
  const padded = Buffer.concat([Buffer.alloc(offset), fragment]);
  const whole = padded.toString('base64');
  const text = whole.slice(Math.ceil((offset * 8) / 6), Math.floor((padded.length * 8) / 6));
  return withUrlForm(text).map((needle) => ({ text: needle, form: `${name}, in base64` }));
}

function digestNeedles(bytes: Buffer, algorithm: string, name: string): readonly Needle[] {
  const digest = createHash(algorithm).update(bytes).digest();
  const hex = digest.toString('hex').slice(0, DIGEST_PART);
  const forms = [hex, hex.toUpperCase(), ...withUrlForm(digest.toString('base64').slice(0, DIGEST_PART))];
  return forms.map((text) => ({ text, form: `the ${algorithm} of ${name}` }));
}

function withUrlForm(base64: string): readonly string[] {
  return [...new Set([base64, base64.replaceAll('+', '-').replaceAll('/', '_')])];
}
