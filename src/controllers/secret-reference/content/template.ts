import { SecretValue } from '../../../managers/secret-value.ts';
import { ContentError, quoted } from './content-error.ts';
import { isSecretKey } from './key-name.ts';
import { CHANGES, NotText, type Piece, textOfPiece } from './template-filters.ts';
import { type Lookup, TemplateKeys } from './template-keys.ts';
import { type Operand, type Output, type Part, parseTemplate, problemAt } from './template-syntax.ts';

const MAX_OUTPUT = 1_048_576;
/** Characters that one render may look up and filter, counted at each step: what bounds its time. */
const MAX_WORK = 16 * MAX_OUTPUT;

/**
 * Renders templates to the keys of a Secret. `{{ Secrets.NAME }}` is a key of `values`, exactly, else without regard to case. Filters:
 * base64, default, json, lower, trim, upper, uri. `{{-` and `-}}` take the whitespace beside them away. Bytes that are not UTF-8 text can only go through `base64`.
 * `listable` are the keys whose names an error may tell: those that the spec declares, not those that stand in a value. One that has
 * no value (an optional one) needs `default`.
 * @throws ContentError `TemplateFailed` with key, line and column, or `LimitExceeded` (a template over 64 KiB, 1 MiB of output, too much work)
 */
export function renderTemplate(
  templates: Readonly<Record<string, string>>,
  values: ReadonlyMap<string, SecretValue>,
  listable: ReadonlySet<string>,
): ReadonlyMap<string, SecretValue> {
  const keys = new TemplateKeys(values, listable);
  const limits = new Limits();
  const rendered = Object.entries(templates).map(([key, template]) => {
    const where = `template.data ${quoted(key)}`;
    if (!isSecretKey(key)) throw new ContentError('TemplateFailed', `${where}: this can't be a key of a Secret`);
    return [key, within(where, () => renderOne(template, keys, limits))] as const;
  });
  return new Map(rendered);
}

/** What is wrong with a template whatever the values are, or undefined. */
export function checkTemplate(template: string): string | undefined {
  try {
    parseTemplate(template);
    return undefined;
  } catch (error) {
    if (error instanceof ContentError) return error.message;
    throw error;
  }
}

/** Counts what one render does, over all of its templates. */
class Limits {
  #work = 0;
  #output = 0;

  /** @throws ContentError `LimitExceeded` */
  work(size: number): void {
    this.#work += size;
    if (size > MAX_OUTPUT) throw new ContentError('LimitExceeded', 'a value grows larger than 1 MiB in its filters');
    if (this.#work > MAX_WORK)
      throw new ContentError('LimitExceeded', 'the templates take too much work: fewer filters, or smaller values');
  }

  /** @throws ContentError `LimitExceeded` */
  output(text: string): string {
    this.#output += Buffer.byteLength(text);
    if (this.#output > MAX_OUTPUT)
      throw new ContentError('LimitExceeded', 'the templates make more than 1 MiB, which is what a Secret can hold');
    return text;
  }
}

function within<T>(where: string, render: () => T): T {
  try {
    return render();
  } catch (error) {
    if (error instanceof ContentError) throw new ContentError(error.reason, `${where}, ${error.message}`);
    throw error;
  }
}

function renderOne(template: string, keys: TemplateKeys, limits: Limits): SecretValue {
  const texts = parseTemplate(template).map((part) => limits.output(renderPart(template, part, keys, limits)));
  return SecretValue.fromString(texts.join(''));
}

function renderPart(template: string, part: Part, keys: TemplateKeys, limits: Limits): string {
  if (part.kind === 'text') return part.text;
  try {
    return filteredText(template, part, keys, limits);
  } catch (error) {
    if (!(error instanceof NotText)) throw error;
    throw problemAt(
      template,
      part.offset,
      'the value is not UTF-8 text: put | base64 first, or leave the key out of the template',
    );
  }
}

function filteredText(template: string, output: Output, keys: TemplateKeys, limits: Limits): string {
  let piece = lookUp(template, output, output.operand, keys, limits);
  for (const { name, fallback } of output.filters) {
    // A fallback is looked up even where it is not needed, so that a slip in it shows at once.
    const other = fallback === undefined ? undefined : lookUp(template, output, fallback, keys, limits);
    piece = name === 'default' ? firstWithText(piece, other) : changed(name, piece);
    limits.work(sizeOf(piece));
  }
  if (piece === undefined) {
    throw problemAt(
      template,
      output.offset,
      'this key has no value now (its secret is optional and missing): put | default: "..." after it',
    );
  }
  return textOfPiece(piece);
}

function lookUp(
  template: string,
  output: Output,
  operand: Operand,
  keys: TemplateKeys,
  limits: Limits,
): Piece | undefined {
  if (operand.kind === 'text') return operand.text;
  const found: Lookup = keys.find(operand.name);
  if (found.kind === 'failed') throw problemAt(template, output.offset, found.problem);
  if (found.kind === 'absent') return undefined;
  limits.work(found.value.size);
  return found.value;
}

/** An absent value goes through every filter, up to a `default`. */
function changed(filter: string, piece: Piece | undefined): Piece | undefined {
  return piece === undefined ? undefined : CHANGES.get(filter)?.(piece);
}

function firstWithText(piece: Piece | undefined, other: Piece | undefined): Piece | undefined {
  return sizeOf(piece) === 0 ? other : piece;
}

function sizeOf(piece: Piece | undefined): number {
  if (piece === undefined) return 0;
  return typeof piece === 'string' ? piece.length : piece.size;
}
