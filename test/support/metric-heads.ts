/** Names, types and meanings of metrics, from a page in Prometheus' text format to rows of a reference. */

/** What one metric is. */
export interface MetricFacts {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

/** The metrics of a page, by name. */
export function headsOf(page: string): MetricFacts[] {
  const types = new Map([...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
  return [...page.matchAll(/^# HELP (\S+) (.*)$/gm)]
    .map(([, name = '', help = '']) => ({ name, help, type: types.get(name) ?? '' }))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** A table of them, each with a line of its own. */
export function metricTable(heads: readonly MetricFacts[]): string {
  const rows = heads.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |\n`);
  return `| Name | Type | Meaning |\n| --- | --- | --- |\n${rows.join('')}`;
}
