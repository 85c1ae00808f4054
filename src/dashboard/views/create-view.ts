/** Owns which view is for which place. */
import type { Place } from '../place.js';
import type { View, ViewContext } from '../view.js';
import { BackendsView } from './backends.js';
import { ChartsView } from './charts.js';
import { ConnectionView } from './connection.js';
import { ConnectionsView } from './connections.js';
import { OverviewView } from './overview.js';

/** Makes the view of a place. */
export function createView(place: Place, context: ViewContext): View {
  switch (place.view) {
    case 'charts':
      return new ChartsView(context);
    case 'connections':
      return new ConnectionsView(context, place.query);
    case 'connection':
      return new ConnectionView(context, place.id);
    case 'backends':
      return new BackendsView(context, place.query);
    default:
      return new OverviewView(context);
  }
}
