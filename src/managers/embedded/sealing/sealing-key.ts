import { inspect } from 'node:util';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { decryptWith } from './age-file.ts';

const identityForm = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/;

/** A key pair. The private half does not print, and leaves only by `reveal`. */
export class SealingKey {
  /** `age1...`: anybody may know it. */
  readonly publicKey: string;
  readonly #identity: string;

  private constructor(publicKey: string, identity: string) {
    this.publicKey = publicKey;
    this.#identity = identity;
  }

  static async generate(): Promise<SealingKey> {
    const identity = await generateX25519Identity();
    return new SealingKey(await identityToRecipient(identity), identity);
  }

  /** A key from its text; lines that begin with `#` are comments, as in a file of age-keygen. Undefined where there is no such key in it. */
  static async parse(text: string): Promise<SealingKey | undefined> {
    const lines = text.split('\n').map((line) => line.trim());
    const [identity, ...others] = lines.filter((line) => line !== '' && !line.startsWith('#'));
    if (identity === undefined || others.length > 0 || !identityForm.test(identity)) return undefined;
    try {
      return new SealingKey(await identityToRecipient(identity), identity);
    } catch {
      return undefined;
    }
  }

  /** Opens an age file. @throws SealError */
  open(file: Uint8Array): Promise<Uint8Array> {
    return decryptWith(this.#identity, file);
  }

  /** The private half, as it is kept. */
  reveal(): string {
    return this.#identity;
  }

  toString(): string {
    return `sealing key ${this.publicKey}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** The keys of an installation. */
export interface KeyRing {
  /** What new values are sealed to; undefined where there is a problem. */
  readonly current: SealingKey | undefined;
  find(publicKey: string): SealingKey | undefined;
  readonly publicKeys: readonly string[];
  /** Why no value can be sealed, and what to do. */
  readonly problem: string | undefined;
  /** Which keys can't be read, and what to do: what is sealed to one of them waits for it. What the others open, they open. */
  readonly unreadable: string | undefined;
  /** Whether somebody asked to have all that is there sealed to the key in use. */
  readonly reseal: boolean;
  /** When all keys were last backed up, or `never`. Undefined where they are kept elsewhere. */
  readonly backup?: string | undefined;
}

export function keyRing(
  keys: readonly SealingKey[],
  current: SealingKey | undefined,
  problem: string | undefined,
  reseal = false,
  unreadable?: string,
): KeyRing {
  const byPublicKey = new Map(keys.map((key) => [key.publicKey, key]));
  return {
    current: problem === undefined ? current : undefined,
    find: (publicKey) => byPublicKey.get(publicKey),
    publicKeys: [...byPublicKey.keys()],
    problem,
    unreadable,
    reseal,
  };
}
