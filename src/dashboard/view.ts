/** Owns the contract between the page and what it shows in its middle. Refuses to know what there is. */
import type { Api } from './api/api.js';
import type { Stats } from './api/contract.js';
import type { Notices } from './notices.js';
import type { Place } from './place.js';
import type { Samples } from './samples.js';

/** What a view gets. */
export interface ViewContext {
  readonly api: Api;
  readonly notices: Notices;
  /** Of the server that is looked at. */
  readonly samples: Samples;
  /** The address of a place of the same server. */
  hrefOf(place: Partial<Place> & Pick<Place, 'view'>): string;
  /** Says in the address what is shown, without leaving it. */
  rename(query: Readonly<Record<string, string>>): void;
  /** Looks at once, not at the next second. */
  lookNow(): void;
}

/** What is shown in the middle of the page, from when it is made to its {@link close}. */
export interface View {
  readonly title: string;
  readonly element: HTMLElement;
  /** Shows what is so now; once a second. What it cannot get it throws. */
  refresh(stats: Promise<Stats>, signal: AbortSignal): Promise<void>;
  close?(): void;
}
