import { SecretValue } from '../../../managers/secret-value.ts';

/** What goes through the filters: a value as the manager gave it, or the text that a filter made. */
export type Piece = SecretValue | string;

/** Thrown for bytes that are not text; holds nothing of them. */
export class NotText extends Error {
  override readonly name = 'NotText';
}

/** @throws NotText */
export function textOfPiece(piece: Piece): string {
  if (typeof piece === 'string') return piece;
  try {
    return piece.asString();
  } catch {
    throw new NotText('the value is not UTF-8 text');
  }
}

function onText(change: (text: string) => string): (piece: Piece) => string {
  return (piece) => change(textOfPiece(piece));
}

/** The filters that change a value. `default` stands beside them: it chooses between two. */
export const CHANGES: ReadonlyMap<string, (piece: Piece) => string> = new Map([
  ['base64', (piece: Piece) => (typeof piece === 'string' ? SecretValue.fromString(piece) : piece).asBase64()],
  ['json', onText((text) => JSON.stringify(text))],
  ['lower', onText((text) => text.toLowerCase())],
  ['trim', onText((text) => text.trim())],
  ['upper', onText((text) => text.toUpperCase())],
  ['uri', onText(percentEncoded)],
]);

export const FILTER_NAMES: readonly string[] = ['default', ...CHANGES.keys()].toSorted();

/** RFC 3986: everything but letters, digits and `-._~` is encoded, so also the `!'()*` that `encodeURIComponent` leaves. */
function percentEncoded(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  return encoded.replaceAll(/[!'()*]/gu, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
