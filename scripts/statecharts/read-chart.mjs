/**
 * Owns what a picture of a chart shows: states with what they do, and edges with their labels. Refuses to know how either
 * is drawn.
 */

/**
 * @typedef {object} Edge
 * @property {string} source the id of a state
 * @property {string} target the id of a sibling of it
 * @property {string[]} lines the label, one line for each
 */

/**
 * @typedef {object} State
 * @property {string} id such as `connection.open.outbound`
 * @property {string} name the last part of the id
 * @property {'atomic' | 'compound' | 'parallel' | 'region' | 'final'} kind
 * @property {string | undefined} initial the id of the state it begins in
 * @property {string[]} does entry, exit and the transitions that lead nowhere
 * @property {State[]} children
 * @property {Edge[]} edges those between its children
 */

const AFTER = /^xstate\.after\.([^.]+)\./;

function nameOf(reference) {
  return typeof reference === 'string' ? reference : reference.type;
}

function eventOf(transition) {
  const delay = AFTER.exec(transition.eventType)?.[1];
  if (delay) return `after ${delay}`;
  if (transition.eventType.startsWith('xstate.done.state.')) return 'done';
  return transition.eventType === '' ? 'always' : transition.eventType;
}

/** The names of actions, without those by which XState keeps the timer of an `after`. */
function actionsOf(actions) {
  return actions.map(nameOf).filter((name) => name !== 'xstate.raise' && name !== 'xstate.cancel');
}

/** All transitions of a state in words, in the order they are tried. */
function transitionsOf(node) {
  return [...node.transitions.values(), node.always ?? []].flatMap((candidates) =>
    candidates.map((transition, index) => {
      const guarded = candidates.slice(0, index).some((earlier) => earlier.guard);
      const guard = transition.guard ? nameOf(transition.guard) : guarded ? 'else' : undefined;
      const actions = actionsOf(transition.actions).join(', ');
      return {
        event: guard ? `${eventOf(transition)} [${guard}]` : eventOf(transition),
        effect: actions && `/ ${actions}`,
        targets: transition.target ?? [],
      };
    }),
  );
}

/** One label for all transitions between two states: events with the same effect share it, an empty line ends a group. */
function labelOf(transitions) {
  const byEffect = new Map();
  for (const { event, effect } of transitions) byEffect.set(effect, [...(byEffect.get(effect) ?? []), event]);
  return [...byEffect].flatMap(([effect, events], index) => {
    const gap = index > 0 ? [''] : [];
    if (effect === '') return [...gap, ...events];
    if (events.length === 1 && events[0].length + effect.length < 34) return [...gap, `${events[0]} ${effect}`];
    return [...gap, ...events, effect];
  });
}

function edgesFrom(node) {
  const byTarget = new Map();
  for (const transition of transitionsOf(node)) {
    for (const { id } of transition.targets) byTarget.set(id, [...(byTarget.get(id) ?? []), transition]);
  }
  return [...byTarget].map(([target, transitions]) => ({ source: node.id, target, lines: labelOf(transitions) }));
}

function kindOf(node) {
  if (node.parent?.type === 'parallel') return 'region';
  return node.type;
}

/**
 * Reads the chart of an XState machine.
 *
 * @returns {State}
 */
export function readChart(machine) {
  return readState(machine.root);
}

function readState(node) {
  const children = Object.values(node.states);
  const edges = children.flatMap(edgesFrom);
  for (const { source, target } of edges) {
    if (!children.some(({ id }) => id === target)) {
      throw new Error(
        `${source} -> ${target} leaves its region, and cannot be drawn; raise an event and move the parent`,
      );
    }
  }
  return {
    id: node.id,
    name: node.key,
    kind: kindOf(node),
    initial: node.type === 'parallel' ? undefined : node.initial?.target?.[0]?.id,
    does: [
      ...actionsOf(node.entry).map((name) => `entry / ${name}`),
      ...actionsOf(node.exit).map((name) => `exit / ${name}`),
      ...transitionsOf(node)
        .filter(({ targets }) => targets.length === 0)
        .map(({ event, effect }) => `${event} ${effect}`),
    ],
    children: children.map(readState),
    edges,
  };
}
