import { parser } from '@prometheus-io/lezer-promql';

/** A series that a query selects. */
interface Selected {
  readonly metric: string;
  /** The labels that it is chosen by. */
  readonly labels: readonly string[];
}

export interface Query {
  readonly selected: readonly Selected[];
  /** Labels that something is grouped or matched by. */
  readonly grouping: readonly string[];
}

/** What stands in a PromQL expression. @throws where it is none, with the place */
export function readQuery(expression: string): Query {
  const selected: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  const textOf = ({ from, to }: { readonly from: number; readonly to: number }): string => expression.slice(from, to);
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${expression}`);
      if (node.name === 'VectorSelector') {
        const labels = node.node.getChildren('LabelMatchers').flatMap((matchers) => {
          const names = matchers.getChildren('UnquotedLabelMatcher').map((matcher) => matcher.getChild('LabelName'));
          return names.flatMap((name) => (name === null ? [] : [textOf(name)]));
        });
        const name = node.node.getChild('Identifier');
        selected.push({ metric: name === null ? '' : textOf(name), labels });
      }
      if (node.name === 'GroupingLabels') {
        grouping.push(...node.node.getChildren('LabelName').map((label) => textOf(label)));
      }
    },
  });
  if (expression.trim() === '') throw new Error('an empty expression is no PromQL');
  return { selected, grouping };
}
