/** The page docs/reference/metrics.md for these metrics. */
export function renderMetrics(
  families: readonly {
    readonly name: string;
    readonly type: string;
    readonly labels: readonly string[];
    readonly help: string;
  }[],
): string;
