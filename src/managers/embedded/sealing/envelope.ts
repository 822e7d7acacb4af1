import { z } from 'zod';
import { SecretValue } from '../../secret-value.ts';
import { encryptTo } from './age-file.ts';
import type { SealContext } from './context.ts';
import { SealError } from './seal-error.ts';
import type { SealingKey } from './sealing-key.ts';

const LENGTH_BYTES = 4;
const MAX_HEADER_BYTES = 4096;
/** Whatever the limit on values: what is larger than this is not looked at. */
const MIN_SEALED_BOUND = 96 * 1024;
const FORMAT = 1;

const headerSchema = z.strictObject({
  v: z.literal(FORMAT),
  cluster: z.string(),
  namespace: z.string(),
  secret: z.string(),
  uid: z.string(),
  version: z.int(),
  type: z.string(),
  length: z.int().nonnegative(),
});
type Header = z.infer<typeof headerSchema>;

const compared = ['cluster', 'namespace', 'secret', 'uid', 'version', 'type'] as const satisfies (keyof SealContext)[];

/**
 * Seals a value for one place to one public key. Base64 of an age file whose text is: four bytes with the length of a JSON header, the header (the place
 * and the value's length), the value, zeros up to the next step of `paddedLength`.
 */
export async function seal(value: SecretValue, context: SealContext, publicKey: string): Promise<string> {
  const { cluster, namespace, secret, uid, version, type } = context;
  const fields: Header = { v: FORMAT, cluster, namespace, secret, uid, version, type, length: value.size };
  const header = new TextEncoder().encode(JSON.stringify(fields));
  const plain = new Uint8Array(paddedLength(LENGTH_BYTES + header.byteLength + value.size));
  new DataView(plain.buffer).setUint32(0, header.byteLength);
  plain.set(header, LENGTH_BYTES);
  plain.set(value.asBytes(), LENGTH_BYTES + header.byteLength);
  const sealed = await encryptTo(publicKey, plain);
  plain.fill(0);
  return Buffer.from(sealed).toString('base64');
}

/**
 * Opens a sealed value, if it was sealed for exactly this place. Every field is compared before anything looks at the value.
 * @throws SealError, whose message names the field that differs
 */
export async function openSealed(
  data: string,
  key: SealingKey,
  expected: SealContext,
  maxValueBytes: number,
): Promise<SecretValue> {
  // Base64 has four characters for three bytes.
  if (data.length > (sealedBound(maxValueBytes) / 3) * 4) {
    throw new SealError('InvalidSeal', `the sealed value is too large: a value may have ${maxValueBytes} bytes`);
  }
  const file = Buffer.from(data, 'base64');
  // Node skips what is no base64: one value would have many spellings.
  if (file.toString('base64') !== data)
    throw new SealError('InvalidSeal', 'the sealed value is not base64 of one line');
  const plain = await key.open(file);
  const { header, start } = readHeader(plain);
  for (const field of compared) {
    if (header[field] !== expected[field]) throw new SealError('WrongPlace', wrongPlace(field));
  }
  const end = start + header.length;
  if (end > plain.byteLength || plain.subarray(end).some((byte) => byte !== 0)) {
    throw new SealError('InvalidSeal', 'the sealed value does not have the length that it says');
  }
  const value = SecretValue.fromBytes(plain.subarray(start, end));
  plain.fill(0);
  return value;
}

function readHeader(plain: Uint8Array): { readonly header: Header; readonly start: number } {
  const length = plain.byteLength < LENGTH_BYTES ? Infinity : new DataView(plain.buffer, plain.byteOffset).getUint32(0);
  const start = LENGTH_BYTES + length;
  const header = start > plain.byteLength || length > MAX_HEADER_BYTES ? undefined : parse(plain, start);
  if (header === undefined) {
    throw new SealError('InvalidSeal', 'the sealed value has no header: seal it by keyferry put or keyferry seal');
  }
  return { header, start };
}

function parse(plain: Uint8Array, end: number): Header | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(plain.subarray(LENGTH_BYTES, end));
    return headerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // The parser's message could quote what was sealed.
    return undefined;
  }
}

const fieldNames: Readonly<Record<(typeof compared)[number], string>> = {
  cluster: 'cluster',
  namespace: 'namespace',
  secret: 'secret',
  uid: 'object (the secret was deleted and created again)',
  version: 'version number',
  type: 'type of the secret',
};

function wrongPlace(field: (typeof compared)[number]): string {
  return `the value was sealed for another ${fieldNames[field]}: seal it for this one, by keyferry put or keyferry seal`;
}

function sealedBound(maxValueBytes: number): number {
  return Math.max(MIN_SEALED_BOUND, Math.ceil(maxValueBytes * 1.25) + 2 * MAX_HEADER_BYTES);
}

/** To steps of 256 bytes up to 4 KiB; beyond, to an eighth of the power of two below. So a length says little. */
export function paddedLength(length: number): number {
  const step = length <= 4096 ? 256 : 2 ** (Math.floor(Math.log2(length)) - 3);
  return Math.ceil(length / step) * step;
}
