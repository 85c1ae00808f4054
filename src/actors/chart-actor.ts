/**
 * Owns one actor of a compiled chart: what XState's own is for its parent, its inspector and whoever holds it, in a tenth of the
 * memory, because what only children, emitted events and subscribers need is made when there are some. Refuses to know any chart.
 */
import { inspect } from 'node:util';
import type {
  AnyActorRef,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFromLogic,
  Observer,
  SnapshotFrom,
  StateValue,
  Subscription,
} from 'xstate';
import { snapshotAt } from './chart-place.js';
import type { AnySystem } from './chart-recorder.js';
import type { CompiledChart } from './compiled-chart.js';
import { isInspected } from './inspectors.js';

/** What the context of the chart is made with; the actor has its id. */
interface Port {
  readonly id: string;
  /** Told of each step; `before` is undefined for the first one. Must not throw. */
  stepped?(event: AnyEventObject, before: StateValue | undefined): void;
}

/** What an actor of XState's own uses of its system beyond the types. */
interface System {
  _bookId(): string;
  _sendInspectionEvent(event: object): void;
  _relay(source: AnyActorRef | undefined, target: AnyActorRef, event: AnyEventObject): void;
}

type Listener = Observer<AnyMachineSnapshot>;

/** An actor that has a parent, with whom it shares the system. */
export class ChartActor<Machine extends AnyStateMachine> {
  readonly logic: CompiledChart<Machine>;
  readonly _parent: AnyActorRef;
  readonly #port: Port;
  #template: AnyMachineSnapshot;
  #context: unknown;
  /** Made when asked for. */
  #snapshot: AnyMachineSnapshot | undefined;
  #sessionId: string | undefined;
  #phase: 'created' | 'busy' | 'waiting' | 'over' = 'created';
  /** The first actions, until it is started. */
  #deferred: Array<() => void> | undefined;
  /** Events that came while another one was dealt with. */
  #events: AnyEventObject[] | undefined;
  #listeners: Set<Listener> | undefined;

  /** @param port the input of the chart. */
  constructor(logic: CompiledChart<Machine>, port: Port, parent: AnyActorRef) {
    this.logic = logic;
    this._parent = parent;
    this.#port = port;
    if (isInspected(this.system)) this.#system._sendInspectionEvent({ type: '@xstate.actor', actorRef: this });
    const { template, context } = logic.table.begin(this, this.#input);
    this.#template = template;
    this.#context = context;
  }

  get id(): string {
    return this.#port.id;
  }

  /** Only inspectors tell actors apart by it. */
  get sessionId(): string {
    this.#sessionId ??= this.#system._bookId();
    return this.#sessionId;
  }

  get system(): AnySystem {
    return this._parent.system;
  }

  get self(): AnyActorRef {
    return this as unknown as AnyActorRef;
  }

  get ref(): this {
    return this;
  }

  get src(): CompiledChart<Machine> {
    return this.logic;
  }

  /** Whether it still takes events. */
  get active(): boolean {
    return this.#template.status === 'active';
  }

  /** That of the snapshot. */
  get value(): StateValue {
    return this.#template.value;
  }

  /** That of the snapshot. */
  get context(): SnapshotFrom<Machine>['context'] {
    return this.#context as SnapshotFrom<Machine>['context'];
  }

  getSnapshot(): SnapshotFrom<Machine> {
    this.#snapshot ??= snapshotAt({ template: this.#template, context: this.#context });
    return this.#snapshot as SnapshotFrom<Machine>;
  }

  getPersistedSnapshot(): SnapshotFrom<Machine> {
    return this.logic.getPersistedSnapshot(this.getSnapshot()) as SnapshotFrom<Machine>;
  }

  start(): this {
    if (this.#phase !== 'created') return this;
    this.#phase = 'busy';
    const event = { type: 'xstate.init', input: this.#input };
    if (isInspected(this.system)) {
      this.#system._sendInspectionEvent({ type: '@xstate.event', sourceRef: this._parent, actorRef: this, event });
    }
    this.#happened(event, undefined);
    this.#next();
    return this;
  }

  send(event: EventFromLogic<Machine>): void {
    // It only tells inspectors.
    if (isInspected(this.system)) this.#system._relay(undefined, this.self, event);
    else this._send(event);
  }

  /** An event of anyone in the system. */
  _send(event: AnyEventObject): void {
    if (this.#phase === 'waiting') {
      this.#phase = 'busy';
      this.#process(event);
      this.#next();
    } else if (this.#phase !== 'over') {
      this.#events ??= [];
      this.#events.push(event);
    }
  }

  /** Only a root is stopped; the life of this one ends in a final state. */
  stop(): never {
    throw new Error('A non-root actor cannot be stopped directly.');
  }

  subscribe(observer: Listener | Listener['next']): Subscription {
    const listener = typeof observer === 'function' ? { next: observer } : (observer ?? {});
    if (this.#phase === 'over') {
      this.#tellEnd([listener]);
    } else {
      this.#listeners ??= new Set();
      this.#listeners.add(listener);
    }
    return { unsubscribe: () => this.#listeners?.delete(listener) };
  }

  /** The charts emit nothing. */
  on(): Subscription {
    return { unsubscribe() {} };
  }

  /** What `console.log` shows: where it is, and not the chart, which is that of all. */
  [inspect.custom](): string {
    return `ChartActor ${this.id} ${JSON.stringify(this.value)}`;
  }

  toJSON(): object {
    return { xstate$$type: 1, id: this.id };
  }

  /** Of the scope that a chart begins in. */
  defer(act: () => void): void {
    this.#deferred ??= [];
    this.#deferred.push(act);
  }

  get #input(): object {
    return { port: this.#port };
  }

  get #system(): System {
    return this.system as unknown as System;
  }

  #next(): void {
    while (this.#phase === 'busy') {
      const event = this.#events?.shift();
      if (event === undefined) {
        this.#events = undefined;
        this.#phase = 'waiting';
      } else {
        this.#process(event);
      }
    }
  }

  #process(event: AnyEventObject): void {
    const place = { template: this.#template, context: this.#context };
    try {
      const { template, context } = this.logic.table.transition(place, event, this);
      if (template !== place.template || context !== place.context) this.#snapshot = undefined;
      this.#template = template;
      this.#context = context;
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#happened(event, place.template.value);
  }

  /** A step was taken: all are told in the order in which XState's own actor does. */
  #happened(event: AnyEventObject, before: StateValue | undefined): void {
    this.#port.stepped?.(event, before);
    // It is as it is now, whatever comes of the step.
    const told = isInspected(this.system) ? this.#snapshotForOnce() : undefined;
    const failure = this.#beginning();
    if (failure !== undefined) {
      this.#failed(failure.error);
    } else {
      for (const listener of this.#listeners ?? []) guarded(() => listener.next?.(this.getSnapshot()));
      if (this.#template.status === 'done') this.#done();
    }
    if (told !== undefined) {
      this.#system._sendInspectionEvent({ type: '@xstate.snapshot', actorRef: this, event, snapshot: told });
    }
  }

  /** Not kept, unless it is already. */
  #snapshotForOnce(): AnyMachineSnapshot {
    return this.#snapshot ?? snapshotAt({ template: this.#template, context: this.#context });
  }

  /** Carries out the first actions; answers what one of them threw. */
  #beginning(): { error: unknown } | undefined {
    const deferred = this.#deferred;
    this.#deferred = undefined;
    try {
      for (const act of deferred ?? []) act();
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  #done(): void {
    const { output } = this.#template;
    this.#over();
    this.#system._relay(this.self, this._parent, { type: `xstate.done.actor.${this.id}`, output, actorId: this.id });
  }

  #failed(error: unknown): void {
    this.#template = { ...this.#template, status: 'error', error } as AnyMachineSnapshot;
    this.#snapshot = undefined;
    this.#over();
    this.#system._relay(this.self, this._parent, { type: `xstate.error.actor.${this.id}`, error, actorId: this.id });
  }

  #over(): void {
    this.#phase = 'over';
    this.#events = undefined;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    if (listeners !== undefined) this.#tellEnd(listeners);
  }

  #tellEnd(listeners: Iterable<Listener>): void {
    const { status, error } = this.#template;
    for (const listener of listeners) {
      if (status === 'done') guarded(() => listener.complete?.());
      else if (listener.error !== undefined) guarded(() => listener.error?.(error));
      else guarded(() => raise(error));
    }
  }
}

/** A listener that throws is an error of its own, and not one of the actor. */
function guarded(call: () => void): void {
  try {
    call();
  } catch (error) {
    setTimeout(() => raise(error));
  }
}

function raise(error: unknown): never {
  throw error;
}
