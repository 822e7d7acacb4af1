import { defaultOptions, type FilteredValueToken, type Token, Tokenizer, TypeGuards } from 'liquidjs';
import { ContentError, quoted } from './content-error.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { CHANGES, FILTER_NAMES } from './template-filters.ts';

const MAX_TEMPLATE_SIZE = 65_536;

/** What an output or a filter's argument names: a key of the Secret, or text that stands in the template itself. */
export type Operand =
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string };

interface FilterCall {
  readonly name: string;
  /** The argument of `default`. */
  readonly fallback: Operand | undefined;
}

/** `{{ operand | filter | filter }}`, and where it begins in the template. */
export interface Output {
  readonly kind: 'output';
  readonly operand: Operand;
  readonly filters: readonly FilterCall[];
  readonly offset: number;
}

export type Part = { readonly kind: 'text'; readonly text: string } | Output;

/** Says where in the template something is wrong. */
export function problemAt(template: string, offset: number, problem: string): ContentError {
  const lines = template.slice(0, offset).split('\n');
  const column = (lines.at(-1) ?? '').length + 1;
  return new ContentError('TemplateFailed', `line ${lines.length}, column ${column}: ${problem}`);
}

/**
 * Reads a template with liquidjs's tokenizer alone, so that neither its tags, its filters, its globals nor its evaluation can be
 * reached: what is not one of ours does not come through here.
 * @throws ContentError `TemplateFailed` or `LimitExceeded`
 */
export function parseTemplate(template: string): readonly Part[] {
  if (Buffer.byteLength(template) > MAX_TEMPLATE_SIZE) {
    throw new ContentError('LimitExceeded', `the template is larger than ${MAX_TEMPLATE_SIZE / 1024} KiB`);
  }
  return topLevelTokens(template).map((token): Part => {
    if (TypeGuards.isHTMLToken(token)) return { kind: 'text', text: token.getContent() };
    if (TypeGuards.isOutputToken(token)) return parseOutput(template, token.begin, token.contentRange);
    throw problemAt(template, token.begin, NO_TAGS);
  });
}

const NO_TAGS =
  'tags ({% ... %}) are not available, only {{ Secrets.NAME }} with filters; write {{ "{%" }} for the characters themselves';

function topLevelTokens(template: string): readonly Token[] {
  try {
    return new Tokenizer(template).readTopLevelTokens();
  } catch {
    throw firstProblem(template);
  }
}

/** Reads token by token up to what stopped the tokenizer. Its own error is not used: the text of it is not ours. */
function firstProblem(template: string): ContentError {
  const tokenizer = new Tokenizer(template);
  let offset = 0;
  try {
    while (!tokenizer.end()) {
      offset = tokenizer.p;
      if (TypeGuards.isTagToken(tokenizer.readTopLevelToken(defaultOptions)))
        return problemAt(template, offset, NO_TAGS);
    }
  } catch {
    const problem = template.startsWith('{{', offset)
      ? 'this {{ is not closed by }}, or a quote in it is not'
      : NO_TAGS;
    return problemAt(template, offset, problem);
  }
  return problemAt(template, offset, FORM);
}

const FORM =
  'write {{ Secrets.NAME }}, {{ Secrets["NAME"] }} or {{ "text" }}, each with filters if wanted: {{ Secrets.NAME | trim }}';

function parseOutput(template: string, offset: number, range: [number, number]): Output {
  const value = filteredValue(template, offset, range);
  const [operand, ...others] = value.initial.postfix;
  const last = value.filters.at(-1)?.end ?? operand?.end ?? range[0];
  const complete = template.slice(last, range[1]).trim() === '';
  if (operand === undefined || others.length > 0 || !complete) throw problemAt(template, offset, FORM);
  return {
    kind: 'output',
    operand: parseOperand(template, offset, operand),
    filters: value.filters.map((filter) => parseFilter(template, filter)),
    offset,
  };
}

function filteredValue(template: string, offset: number, range: [number, number]): FilteredValueToken {
  try {
    return new Tokenizer(template, undefined, undefined, range).readFilteredValue();
  } catch {
    throw problemAt(template, offset, FORM);
  }
}

function parseOperand(template: string, offset: number, token: Token): Operand {
  if (TypeGuards.isQuotedToken(token)) return { kind: 'text', text: token.content.toWellFormed() };
  if (!TypeGuards.isPropertyAccessToken(token) || token.variable !== undefined) throw problemAt(template, offset, FORM);
  const [variable, ...names] = token.props;
  if (variable === undefined || !TypeGuards.isWordToken(variable)) throw problemAt(template, offset, FORM);
  if (variable.getText() !== 'Secrets') {
    const problem = `${quoted(variable.getText())} is unknown: the only variable is Secrets, as in {{ Secrets.NAME }}`;
    throw problemAt(template, offset, problem);
  }
  return { kind: 'key', name: parseName(template, offset, names, token.end) };
}

/** The one name behind `Secrets`, in the dotted or the quoted form. */
function parseName(template: string, offset: number, names: readonly Token[], end: number): string {
  const [name, ...deeper] = names;
  if (name === undefined) throw problemAt(template, offset, 'Secrets needs the name of a key: {{ Secrets.NAME }}');
  if (deeper.length > 0) {
    const problem = 'a name with dots in it goes into brackets and quotes: {{ Secrets["db.password"] }}';
    throw problemAt(template, offset, problem);
  }
  // The tokenizer skips whatever else stands in brackets.
  const rest = template.slice(name.end, end).trim();
  if (TypeGuards.isQuotedToken(name) && rest === ']') return name.content;
  if (TypeGuards.isWordToken(name) && rest === '') return name.getText();
  throw problemAt(template, offset, 'a name in brackets goes into quotes: {{ Secrets["NAME"] }}');
}

function parseFilter(template: string, token: FilteredValueToken['filters'][number]): FilterCall {
  const { name, args, begin } = token;
  if (name === 'default') {
    const [fallback, ...others] = args;
    if (fallback === undefined || Array.isArray(fallback) || others.length > 0) {
      throw problemAt(template, begin, 'default needs one value: {{ Secrets.NAME | default: "text" }}');
    }
    return { name, fallback: parseOperand(template, begin, fallback) };
  }
  if (!CHANGES.has(name)) throw problemAt(template, begin, unknownFilter(name));
  if (args.length > 0) throw problemAt(template, begin, `the filter ${name} takes no argument`);
  return { name, fallback: undefined };
}

function unknownFilter(name: string): string {
  const nearest = nearestName(name, FILTER_NAMES);
  const hint = nearest === undefined ? '' : `, did you mean ${nearest}?`;
  return `there is no filter ${quoted(name)}${hint} (filters: ${FILTER_NAMES.join(', ')})`;
}
