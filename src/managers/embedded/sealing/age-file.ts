import { Decrypter, Encrypter } from 'age-encryption';
import { SealError } from './seal-error.ts';

/** The header of a file for one X25519 key: version, stanza, its body (32 bytes each, in base64), MAC. */
const headerForm = /^age-encryption\.org\/v1\n-> X25519 [A-Za-z0-9+/]{43}\n[A-Za-z0-9+/]{43}\n--- [A-Za-z0-9+/]{43}\n/;
const HEADER_BYTES = 170;

/** The library takes other kinds of keys too, whose files `decryptWith` refuses. */
const publicKeyForm = /^age1[02-9ac-hj-np-z]{58}$/;

/**
 * Seals bytes to one public key.
 * @throws SealError InvalidSeal, for what is no such key
 */
export async function encryptTo(publicKey: string, bytes: Uint8Array): Promise<Uint8Array> {
  try {
    if (!publicKeyForm.test(publicKey)) throw noKey();
    const encrypter = new Encrypter();
    encrypter.addRecipient(publicKey);
    return await encrypter.encrypt(bytes);
  } catch {
    throw noKey();
  }
}

function noKey(): SealError {
  return new SealError(
    'InvalidSeal',
    'this is not the public half of one age key (X25519): age1 and 58 more characters',
  );
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
  return headerForm.test(Buffer.from(file.subarray(0, HEADER_BYTES)).toString('latin1'));
}
