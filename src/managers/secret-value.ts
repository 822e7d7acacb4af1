import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/** The bytes of a secret. The only type that carries them; it prints as `[redacted]` wherever it is not asked by name. */
export class SecretValue {
  readonly #bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Takes a copy, so that later changes of `bytes` are not seen. */
  static fromBytes(bytes: Uint8Array): SecretValue {
    return new SecretValue(Uint8Array.from(bytes));
  }

  static fromString(text: string): SecretValue {
    return new SecretValue(new TextEncoder().encode(text));
  }

  /** The number of bytes. */
  get size(): number {
    return this.#bytes.byteLength;
  }

  /** A copy of the bytes. */
  asBytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /**
   * The value as text.
   * @throws TypeError when the bytes are not valid UTF-8; its message does not hold them.
   */
  asString(): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#bytes);
    } catch {
      // The decoder's own error is dropped: no error on the way of a value is passed on (security rule 16).
      throw new TypeError('the secret value is not valid UTF-8 text');
    }
  }

  asBase64(): string {
    return Buffer.from(this.#bytes).toString('base64');
  }

  equals(other: SecretValue): boolean {
    return Buffer.compare(this.#bytes, other.#bytes) === 0;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.toPrimitive](): string {
    return REDACTED;
  }

  /** @internal Stays out of the library's declarations, which can be read without those of Node. */
  [inspect.custom](): string {
    return REDACTED;
  }
}
