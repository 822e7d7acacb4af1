import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../managers/secret-value.ts';
import { checkValues } from './desired-target.ts';

const MIB = 1_048_576;

function sizeFailure(bytes: number): string | undefined {
  return checkValues('Opaque', new Map([['key', SecretValue.fromBytes(new Uint8Array(bytes))]]))?.message;
}

describe('values that are too large for a Secret', () => {
  it('are refused over 1 MiB', () => {
    expect(sizeFailure(MIB)).toBeUndefined();
    expect(sizeFailure(MIB + 1)).toContain('about 1.1 MiB, more than the 1 MiB that Kubernetes allows');
  });

  it('are not told to the byte: it would tell how long a value is', () => {
    expect(sizeFailure(MIB + 1)).toBe(sizeFailure(MIB + 90_000));
  });
});
