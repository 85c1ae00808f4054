/** Owns how much each kind of offence adds to the score of an address. Refuses to keep score; bans do. */

/** What makes `admission.bans.threshold`. */
export const OFFENCE_WEIGHT = {
  malformedHandshake: 1,
  wrongCredentials: 5,
  flood: 20,
} as const;
