/** Why a value, a key or a template can't be used. The names are also reasons of the condition `Ready`. */
type ContentErrorReason = 'InvalidValue' | 'PropertyNotFound' | 'TemplateFailed' | 'LimitExceeded';

/**
 * The one error of this folder. `message` is a fixed text of ours that may name what stands in a reference's spec (a path, a template's
 * line, a key of `data`), never what stands in a value: neither its text nor the names of its properties. It has no cause: the
 * errors of parsers quote what they read.
 */
export class ContentError extends Error {
  override readonly name = 'ContentError';
  readonly reason: ContentErrorReason;

  constructor(reason: ContentErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

const SHOWN_LENGTH = 64;

/** A name from a spec as a message shows it: in quotes, on one line, not longer than 64 characters. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH)}...` : name);
}
