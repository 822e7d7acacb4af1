import { Decrypter, Encrypter } from 'age-encryption';
import { SealError } from './seal-error.ts';

/** Most lines of a header with one X25519 stanza: version, stanza, its body, MAC. */
const HEADER_LINES = ['age-encryption.org/v1', '-> X25519 ', '', '--- '] as const;
const MAX_HEADER_BYTES = 512;

/** Seals bytes to one public key. */
export async function encryptTo(publicKey: string, bytes: Uint8Array): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(publicKey);
  return encrypter.encrypt(bytes);
}

/**
 * Opens an age file with one private key. Looks at the header before anything is calculated: each stanza costs time, and a file may have hundreds.
 * @throws SealError InvalidSeal
 */
export async function decryptWith(identity: string, file: Uint8Array): Promise<Uint8Array> {
  if (!hasOneStanza(file)) {
    throw new SealError('InvalidSeal', 'the sealed value is not an age file for exactly one X25519 key');
  }
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(file);
  } catch {
    // The library's own words are not ours to show.
    throw new SealError('InvalidSeal', 'the sealed value can not be opened: it was altered, or sealed to another key');
  }
}

function hasOneStanza(file: Uint8Array): boolean {
  const head = Buffer.from(file.subarray(0, MAX_HEADER_BYTES)).toString('latin1');
  const lines = head.split('\n', HEADER_LINES.length);
  return lines.length === HEADER_LINES.length && HEADER_LINES.every((start, index) => lines[index]?.startsWith(start));
}
