import { isMap, isPair, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** A value of the chart that people may set. */
export interface ChartValue {
  /** `image.tag`. */
  readonly path: string;
  readonly description: string;
  readonly otherwise: unknown;
}

/** Values that belong together, as they stand in values.yaml. */
export interface ChartGroup {
  readonly path: string;
  readonly members: readonly (ChartGroup | ChartValue)[];
}

/**
 * Reads values.yaml: what a comment that begins with `# --` stands before is a value, whatever it holds; what has none is a group.
 * @throws Error for a value that nothing says anything about
 */
export function readValues(text: string): ChartGroup {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml is not a map');
  return groupOf('', contents);
}

export function isGroup(member: ChartGroup | ChartValue): member is ChartGroup {
  return 'members' in member;
}

/** The values of a group and of the groups in it. */
export function valuesIn(group: ChartGroup): readonly ChartValue[] {
  return group.members.flatMap((member) => (isGroup(member) ? valuesIn(member) : [member]));
}

/** A table of Markdown, by section. */
export function valuesTable(group: ChartGroup): string {
  const rows = valuesIn(group).map(
    ({ path, description, otherwise }) => `| \`${path}\` | ${code(JSON.stringify(otherwise))} | ${cell(description)} |`,
  );
  return ['| value | default | |', '| --- | --- | --- |', ...rows].join('\n');
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function groupOf(path: string, map: YAMLMap): ChartGroup {
  // The comment of the first key stands before the map.
  const members = map.items.map((pair, index) => memberOf(path, pair, index === 0 ? (map.commentBefore ?? '') : ''));
  return { path, members };
}

function memberOf(parent: string, pair: Pair, before: string): ChartGroup | ChartValue {
  if (!isPair(pair) || !isScalar(pair.key)) throw new Error(`values.yaml has a key that is no name below "${parent}"`);
  const path = [parent, String(pair.key.value)].filter((part) => part !== '').join('.');
  const description = descriptionIn(`${before}\n${pair.key.commentBefore ?? ''}`);
  if (description !== undefined) return { path, description, otherwise: plain(pair.value) };
  if (!isMap(pair.value)) throw new Error(`values.yaml says nothing about ${path}: put a comment "# -- …" before it`);
  return groupOf(path, pair.value);
}

function plain(node: unknown): unknown {
  const { value } = JSON.parse(JSON.stringify({ value: node }));
  return value;
}

/** What stands behind the last ` --`, on one line. */
function descriptionIn(comment: string): string | undefined {
  const start = comment.lastIndexOf(' -- ');
  if (start === -1) return undefined;
  return comment
    .slice(start + 4)
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
}
