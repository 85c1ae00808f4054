/** Owns what clients are told that have to go through no fault of theirs. Refuses to choose who goes. */
import { type Ending, operatorEnding } from '../actors/ending.js';
import { CloseCode } from '../receivers/index.js';
import { retryReason } from './retry-reason.js';

/** 1001: nobody is there any more. */
export function goingAway(): Ending {
  return operatorEnding(CloseCode.GoingAway, 'the server is stopping');
}

/** 1012: somebody will be there, at another time for each between the two; see {@link retryReason}. */
export function comeBack(least?: number, most?: number): Ending {
  return operatorEnding(CloseCode.ServiceRestart, retryReason(least, most));
}
