/** Owns the explanation of a connection that is over, or was refused. Refuses to keep it. */
import { distance, time } from './amounts.js';
import type { EndedConnection } from './ended-connections.js';
import { refusalWords, reportDetails, reportWords } from './ending-words.js';
import { wordsOfStep } from './event-words.js';
import type { ExplainedState, Explanation } from './explanation.js';
import { placesIn } from './facts.js';
import { wordsOfState } from './state-words.js';
import { textOf } from './text.js';

/** Explains a connection that is over. */
export function explainEnded(ended: EndedConnection): Explanation {
  const now = Date.now();
  const { id, sides, report, refusal, history, speaking } = ended;
  const when = `That was at ${time(ended.at, now)}, ${distance(ended.at, now)}.`;
  const said = refusal === undefined ? reportText(ended) : refusalWords(refusal);
  const explanation = {
    id,
    at: now,
    state: refusal === undefined ? ('closed' as const) : ('rejected' as const),
    summary: `${said} ${when}`,
    facts: endsOf(ended),
    deadlines: [],
    slow: [],
    buffers: undefined,
    history: (history?.entries() ?? []).map((entry) => ({
      at: entry.at,
      side: entry.side,
      event: entry.event,
      text: wordsOfStep(entry, speaking),
    })),
    historyDropped: history?.dropped ?? 0,
    unknown:
      history === undefined
        ? [
            'What happened before its end: no steps are kept where inspection.history is 0, or there was no admin API when the server started.',
          ]
        : [],
    closeReport: report,
    refusal,
  };
  const details = report === undefined ? [] : reportDetails(report, speaking.connection);
  return { ...explanation, text: textOf(explanation, sides, details) };
}

function reportText({ report }: EndedConnection): string {
  return report === undefined ? 'It is over; why is not known.' : reportWords(report);
}

/** Where the charts of both sides ended, as the history has them. */
function endsOf({ history }: EndedConnection): ExplainedState[] {
  const entries = history?.entries() ?? [];
  return (['connection', 'upstream'] as const).flatMap((side) => {
    const last = entries.findLast((entry) => entry.side === side);
    if (last === undefined || history === undefined) return [];
    return placesIn(side, last.value).map(({ id, region }) => {
      const { is, next } = wordsOfState(id);
      return { side, state: id, words: is, since: history.since(side, region), next, deadline: undefined };
    });
  });
}
